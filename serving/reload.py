"""Another checkpoint in the place of the one that serves: loaded beside it, tested, and then exchanged.

The workers of one service tell each other through a file, which each of them looks at once a second.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import anyio
from anyio import to_thread

from model.extractor import CheckpointError, CheckpointInfo, Extractor
from serving.inference import Inference
from serving.problems import Problem
from serving.selftest import SelfTestError, self_test

_log = logging.getLogger(__name__)

#: Seconds between two looks at the file.
_LOOK = 1.0
_FILE = "model.json"


class Reloader:
    """Exchanges the model of an `Inference`. `load` raises CheckpointError; `folder` is what the workers share."""

    def __init__(self, inference: Inference, load: Callable[[Path], Extractor], folder: Path | None) -> None:
        self._inference = inference
        self._load = load
        self._file = None if folder is None else folder / _FILE
        self._busy = anyio.Lock()
        self._seen: str | None = None

    async def reload(self, path: Path) -> tuple[CheckpointInfo, CheckpointInfo]:
        """Let the checkpoint in directory `path` serve; return what the old and the new one say of themselves.

        Raises Problem `bad-checkpoint`, and the old one goes on; or `conflict`, while another reload is under way.
        """
        if self._busy.statistics().locked:
            raise Problem("conflict", "Another checkpoint is being loaded.", headers={"Retry-After": "5"})
        async with self._busy:
            infos = await self._exchange(path)
            if self._file is not None:
                self._seen = await to_thread.run_sync(_publish, self._file, path)
            return infos

    async def _exchange(self, path: Path) -> tuple[CheckpointInfo, CheckpointInfo]:
        _ = self._inference.extractor  # raises `not-ready`: there is nothing to exchange
        try:
            extractor = await to_thread.run_sync(self._tested, path)
        except (CheckpointError, SelfTestError) as error:
            raise Problem("bad-checkpoint", f"{error}; the model that served goes on.") from None
        old = await self._inference.exchange(extractor)
        _log.info(
            "model exchanged: %s %s for %s %s", extractor.info.name, extractor.info.version, old.name, old.version
        )
        return old, extractor.info

    def _tested(self, path: Path) -> Extractor:
        extractor = self._load(path)
        self_test(extractor)
        return extractor

    async def follow(self) -> None:
        """Load what other workers have loaded, for ever."""
        if self._file is None:
            return
        while True:
            await anyio.sleep(_LOOK)
            published = await to_thread.run_sync(_read, self._file)
            if published is None or published == self._seen or not self._inference.ready:
                continue
            async with self._busy:
                self._seen = published
                try:
                    await self._exchange(Path(json.loads(published)["path"]))
                except Problem as problem:
                    _log.error("the other workers' model cannot be loaded here: %s", problem.detail)


def _publish(file: Path, path: Path) -> str:
    """Tell the other workers; return what was written, which no other reload has written."""
    text = json.dumps({"path": str(path.resolve()), "token": os.urandom(8).hex()})
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as new:
        new.write(text)
    os.replace(new.name, file)
    return text


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
