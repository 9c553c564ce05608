"""What decides the output of a run: code, checkpoint, input and options. Only the same run goes on in a directory."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from model.extractor import CheckpointError, Extractor, read_config
from serving.bulk.job import Job, RefusedError
from serving.bulk.sources import Input
from serving.loading import load_extractor
from serving.selftest import SelfTestError, self_test


@dataclass(frozen=True, slots=True)
class Maker:
    """What makes the documents: the version of this package, and the checkpoint, with the SHA-256 of its files."""

    musnad: str
    checkpoint: str
    version: str
    sha256: str

    def load(self, job: Job, threads: int) -> Extractor:
        """Load the checkpoint; raises RefusedError where this machine has others than the run began with."""
        own = maker(job)
        if own != self:
            raise RefusedError(f"the run began with {self}, and this machine has {own}")
        try:
            extractor = load_extractor(job.checkpoint_path, runtime=job.runtime, threads=threads)
            self_test(extractor)
        except (CheckpointError, SelfTestError) as error:
            raise RefusedError(f"{job.checkpoint_path}: {error}") from None
        return extractor

    def __str__(self) -> str:
        return f"musnad {self.musnad} and {self.checkpoint} {self.version} ({self.sha256[:12]})"


def maker(job: Job) -> Maker:
    """What makes the documents on this machine; raises RefusedError where there is no such checkpoint."""
    try:
        own = version("musnad")
    except PackageNotFoundError:
        own = "0"
    path = job.checkpoint_path
    try:
        config = read_config(path)
        digest = _digest(path)
    except CheckpointError as error:
        raise RefusedError(str(error)) from None
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}") from None
    return Maker(own, str(config.get("name", path.name)), str(config.get("version", "0")), digest)


def _digest(checkpoint: Path) -> str:
    """The SHA-256 of a checkpoint's files but the model card."""
    digest = hashlib.sha256()
    for file in sorted(checkpoint.iterdir()):
        if file.is_file() and file.suffix != ".md":
            digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def identity(source: Input, job: Job, made_by: Maker) -> dict[str, Any]:
    """All that must be the same for a run to go on; where the checkpoint lies is no part of it."""
    options = {name: value for name, value in asdict(job).items() if name != "checkpoint"}
    size = sum(file.size for file in source.files)
    files = {"files": len(source.files), "bytes": size, "sha256": source.digest}
    return {"made_by": asdict(made_by), "input": files, **options}
