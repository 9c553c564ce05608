"""Another checkpoint in the place of the one that serves: loaded beside it, tested, and then exchanged.

It comes by `POST /admin/model`, or because a link that leads to the service's checkpoint has moved, as by `musnad
models promote`. Which of the two counts depends on nothing but what every worker sees, so that all end on the same: a
request holds for as long as the links stand as they stood when it came; when they move, they count again. The workers
of one service tell each other of requests through a file; each looks at it, and at the links, once a second.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import anyio
from anyio import to_thread

from model.extractor import CheckpointError, CheckpointInfo, Extractor
from serving.checkpoints import Located, locate
from serving.inference import Inference
from serving.problems import Problem
from serving.selftest import SelfTestError, self_test

_log = logging.getLogger(__name__)

#: Seconds between two looks at the file and the links.
_LOOK = 1.0
_FILE = "model.json"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A checkpoint that a request put to work; `links`: as they stood then; `token`: no other request has it."""

    path: str
    links: str
    token: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The checkpoint that should serve; `mark` is another one for every request and every move of a link."""

    mark: str
    directory: Path


class Reloader:
    """Exchanges the model of an `Inference`.

    `load` raises CheckpointError; `folder` is what the workers share; `checkpoint` is the service's own, whose links
    are followed; `observe` hears whether an exchange was done or failed.
    """

    def __init__(
        self,
        inference: Inference,
        load: Callable[[Path], Extractor],
        folder: Path | None,
        checkpoint: Path | None = None,
        observe: Callable[[bool], None] = lambda done: None,
    ) -> None:
        self._inference = inference
        self._load = load
        self._file = None if folder is None else folder / _FILE
        self._checkpoint = checkpoint
        self._observe = observe
        self._busy = anyio.Lock()
        self._asked: _Asked | None = None
        # before the checkpoint is loaded for the first time, so that no move is missed
        self._done = self._own().links

    async def reload(self, path: Path) -> tuple[CheckpointInfo, CheckpointInfo]:
        """Let the checkpoint that `path` leads to serve; return what the old and the new one say of themselves.

        Raises Problem `bad-checkpoint`, and the old one goes on; `not-ready`, where there is none; or `conflict`, while
        another reload is under way.
        """
        if self._busy.statistics().locked:
            raise Problem("conflict", "Another checkpoint is being loaded.", headers={"Retry-After": "5"})
        async with self._busy:
            old = self._inference.extractor.info
            links = (await to_thread.run_sync(self._own)).links
            directory, new = await self._exchange(path)
            self._asked = _Asked(str(directory.resolve()), links, os.urandom(8).hex())
            if self._file is not None:
                await to_thread.run_sync(_publish, self._file, self._asked)
            self._done = self._asked.token
            return old, new

    async def _exchange(self, path: Path) -> tuple[Path, CheckpointInfo]:
        """Exchange the model; return the directory that `path` leads to, and what the checkpoint says of itself."""
        try:
            directory, extractor = await to_thread.run_sync(self._tested, path)
        except (CheckpointError, SelfTestError) as error:
            self._observe(False)
            raise Problem("bad-checkpoint", f"{error}; the model that served goes on.") from None
        await self._inference.exchange(extractor)
        self._observe(True)
        _log.info("model exchanged: %s %s serves now", extractor.info.name, extractor.info.version)
        return directory, extractor.info

    def _tested(self, path: Path) -> tuple[Path, Extractor]:
        directory = locate(path).directory
        extractor = self._load(directory)
        self_test(extractor)
        return directory, extractor

    async def follow(self) -> None:
        """Load what the links have come to lead to, and what other workers have loaded, for ever.

        What cannot be loaded is logged, and not tried again until something moves.
        """
        if self._file is None and self._checkpoint is None:
            return
        while True:
            await anyio.sleep(_LOOK)
            if await to_thread.run_sync(self._wanted) is None:
                continue
            if not self._inference.ready and not self._inference.failed:
                continue
            async with self._busy:
                wanted = await to_thread.run_sync(self._wanted)  # it may have been done while this waited
                if wanted is not None:
                    await self._take(wanted)

    async def _take(self, wanted: _Wanted) -> None:
        self._done = wanted.mark
        try:
            await self._exchange(wanted.directory)
        except Problem as problem:
            _log.error("the model cannot be exchanged: %s", problem.detail)

    def _wanted(self) -> _Wanted | None:
        """What should serve, unless that was done or tried."""
        own = self._own()
        asked = self._asked if self._file is None else _read(self._file)
        if asked is not None and asked.links == own.links:
            wanted = _Wanted(asked.token, Path(asked.path))
        else:
            wanted = _Wanted(own.links, own.directory)
        return None if wanted.mark == self._done else wanted

    def _own(self) -> Located:
        """Where the service's own checkpoint lies; links that cannot be followed are a state, too."""
        if self._checkpoint is None:
            return Located(Path())
        try:
            return locate(self._checkpoint)
        except CheckpointError as error:
            return Located(self._checkpoint, str(error))


def _publish(file: Path, asked: _Asked) -> None:
    """Tell the other workers."""
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as new:
        json.dump(asdict(asked), new)
    os.replace(new.name, file)


def _read(file: Path) -> _Asked | None:
    try:
        return _Asked(**{"links": "", **json.loads(file.read_text(encoding="utf-8"))})  # older ones have no links
    except FileNotFoundError:
        return None
