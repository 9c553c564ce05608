"""A registry of checkpoints: a directory that holds every promoted version whole, and says which one is current.

::

    versions/1.2.0/     a checkpoint's files, and version.json: scores, hashes, where it came from
    current             a symbolic link to one of the versions: what a service loads
    tests/              the frozen test sets: copies of the first file of each name
    history.jsonl       what became current, when, in place of what
    lock                held by whoever changes anything

A version's directory is filled under another name, synchronized to disk and then renamed, and `current` is replaced by
a rename: whenever a process or the machine stops, `current` is a whole version, the old one or the new one. Who loads
`current` should resolve the link first, so that all files are of one version.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from semver import Version

#: The file of a version's directory that the registry adds.
RECORD = "version.json"
_INCOMING = ".incoming"


class RegistryError(ValueError):
    """Something that the registry cannot do, or a damaged one; says what and where."""


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """What the registry knows of a version, as in its `version.json`.

    `files` and `data` are SHA-256 by file name: of the checkpoint's files, and of what it was trained from, as its
    `training.json` says. `tests` has, by test file, its hash, number of sentences, and F1 with interval by measure.
    `previous` was current before; `worse` says where this one was significantly worse than that, which takes `forced`.
    """

    version: str
    name: str
    source: str
    registered: str
    files: dict[str, str]
    data: dict[str, str] = field(default_factory=dict)
    tests: dict[str, dict[str, Any]] = field(default_factory=dict)
    previous: str | None = None
    forced: bool = False
    worse: tuple[str, ...] = ()


class Registry:
    """The registry in a directory, which is made by the first promotion."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @contextmanager
    def locked(self, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the registry's lock; calls `waiting` where another process holds it, then waits for that to end.

        The lock ends with the process. What an earlier process left unfinished is put in order.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.directory / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire()
        try:
            shutil.rmtree(self.directory / _INCOMING, ignore_errors=True)
            current, history = self.current(), self.history()
            if current is not None and (not history or history[-1]["version"] != current):
                self._note("found", current, history[-1]["version"] if history else None)
            yield
        finally:
            shutil.rmtree(self.directory / _INCOMING, ignore_errors=True)
            lock.release()

    def current(self) -> str | None:
        """The version that is current; None in a registry without any."""
        link = self.directory / "current"
        if not link.is_symlink():
            if link.exists():
                raise RegistryError(f"{link}: not a link to one of the versions")
            return None
        target = self.directory / os.readlink(link)
        if target.parent != self.directory / "versions" or not (target / RECORD).is_file():
            raise RegistryError(f"{link}: points to {os.readlink(link)}, which is not a version of this registry")
        return target.name

    def path_of(self, version: str) -> Path:
        """The checkpoint directory of a version."""
        return self.directory / "versions" / version

    def versions(self) -> list[VersionRecord]:
        """Every version, lowest first."""
        found = (self.directory / "versions").glob(f"*/{RECORD}")
        return sorted((self.record(path.parent.name) for path in found), key=lambda own: Version.parse(own.version))

    def record(self, version: str) -> VersionRecord:
        """What is known of a version; raises RegistryError for one that is not there, or whose record is damaged."""
        path = self.path_of(version) / RECORD
        if not Version.is_valid(version):
            raise RegistryError(f"{version!r} is not a semantic version such as 1.4.0")
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            record = VersionRecord(**{**values, "worse": tuple(values["worse"])})
        except (FileNotFoundError, NotADirectoryError):
            raise RegistryError(f"{self.directory}: there is no version {version}") from None
        except (ValueError, TypeError, KeyError) as error:
            raise RegistryError(f"{path}: not a version's record: {error}") from None
        if record.version != version:
            raise RegistryError(f"{path}: says that it is of version {record.version}")
        return record

    def history(self) -> list[dict[str, Any]]:
        """What became current, first to last: time, event (`promote`, `rollback`, `found`), version, previous."""
        path = self.directory / "history.jsonl"
        try:
            return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        except FileNotFoundError:
            return []
        except ValueError as error:
            raise RegistryError(f"{path}: not JSON lines: {error}") from None

    def next_version(self, bump: str) -> str:
        """The highest version with its `major`, `minor` or `patch` number raised."""
        highest = Version.parse(self.versions()[-1].version)
        return str(highest.next_version(bump))

    def check_free(self, version: str) -> None:
        """Raise RegistryError for what is no semantic version (semver.org), or one that is there."""
        if not Version.is_valid(version):
            raise RegistryError(f"{version!r} is not a semantic version such as 1.4.0")
        if self.path_of(version).exists():
            raise RegistryError(f"{self.directory}: version {version} is there already; versions never change")

    def stage(self, checkpoint: Path, version: str) -> Path:
        """Copy a checkpoint's files (not what lies in folders) to where they can be judged, and return that directory.

        The copy's `config.json` bears the version, so that a service says which one it runs. Raises RegistryError where
        a file changes meanwhile.
        """
        staged = self.directory / _INCOMING / version
        staged.mkdir(parents=True)
        for path in sorted(checkpoint.iterdir()):
            if path.is_file() and not path.name.startswith(".") and path.name != RECORD:
                shutil.copyfile(path, staged / path.name)
                if sha256(path) != sha256(staged / path.name):
                    raise RegistryError(f"{path}: changed while it was copied")
        config = json.loads((staged / "config.json").read_text(encoding="utf-8"))
        _write(staged / "config.json", _pretty({**config, "version": version}))
        return staged

    def add(self, staged: Path, record: VersionRecord) -> None:
        """Make a staged copy a version: whole and on disk before it bears its name."""
        _write(staged / RECORD, _pretty(asdict(record)))
        for path in staged.iterdir():
            _synchronize(path)
        _synchronize(staged)
        target = self.path_of(record.version)
        target.parent.mkdir(exist_ok=True)
        staged.rename(target)
        _synchronize(target.parent)

    def switch(self, version: str, event: str) -> None:
        """Make a version current, and note it as a `promote` or a `rollback`.

        Raises RegistryError where one of its files is not what was registered.
        """
        for name, digest in self.record(version).files.items():
            path = self.path_of(version) / name
            if not path.is_file() or sha256(path) != digest:
                raise RegistryError(f"{path}: {'changed since it was registered' if path.exists() else 'is gone'}")
        previous = self.current()
        link = self.directory / ".current"
        link.unlink(missing_ok=True)
        link.symlink_to(Path("versions") / version)
        link.replace(self.directory / "current")
        _synchronize(self.directory)
        self._note(event, version, previous)

    def tests(self) -> dict[str, Path]:
        """The frozen test sets by name."""
        folder = self.directory / "tests"
        return {path.name: path for path in sorted(folder.iterdir())} if folder.is_dir() else {}

    def new_tests(self, given: list[Path]) -> dict[str, Path]:
        """Those of the given test sets that are not frozen yet.

        Raises RegistryError where one has the name of a frozen one and other content, or two have the same name.
        """
        frozen = self.tests()
        new: dict[str, Path] = {}
        for path in given:
            if not path.is_file():
                raise RegistryError(f"{path}: there is no such file")
            known = frozen.get(path.name) or new.get(path.name)
            if known is not None and sha256(known) != sha256(path):
                raise RegistryError(
                    f"{path}: another test set of this name is frozen ({known}); a new one needs a name of its own"
                )
            if known is None:
                new[path.name] = path
        return new

    def freeze(self, tests: dict[str, Path]) -> None:
        """Copy test sets into the registry, for every later promotion."""
        folder = self.directory / "tests"
        folder.mkdir(exist_ok=True)
        for name, path in tests.items():
            _write(folder / name, path.read_bytes())
        _synchronize(folder)

    def _note(self, event: str, version: str, previous: str | None) -> None:
        entry = {"time": now(), "event": event, "version": version, "previous": previous}
        lines = [json.dumps(own, ensure_ascii=False) + "\n" for own in (*self.history(), entry)]
        _write(self.directory / "history.jsonl", "".join(lines).encode())


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file; `training.resuming` has the same, but brings all of transformers."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def now() -> str:
    """The time in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _pretty(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    """Replace a file by one that is whole and on disk."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content)
    _synchronize(unfinished)
    unfinished.replace(path)
    _synchronize(path.parent)


def _synchronize(path: Path) -> None:
    """Have a file's content, or a directory's entries, written to disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
