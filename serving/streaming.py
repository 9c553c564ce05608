"""`POST /predict/stream`: JSON lines in, JSON lines out, as they are ready and in order, in constant memory.

A few documents are on their way at a time. While the first of them is not done, or the client does not read, no more
of the body is read, and so the client's sending stops. One that is not done in time, counted from when those before it
are answered, is given up, and the stream goes on: so it never stands still for longer than that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from serving.ndjson import MEDIA_TYPE
from serving.reading import LineSplitter

#: Documents on their way at a time.
WINDOW = 64
#: Bytes of their lines, at most, but for a lone line of more: they take turns, so that each waits for all of them.
WINDOW_BYTES = 256 * 1024

#: Turns a line (its number from 1, and its bytes, or None for one that is too long) into a line of the answer; or None
#: for a line that has none.
Work = Callable[[int, bytes | None], Awaitable[bytes | None]]
#: The line of the answer, by its number, for one that is not done in time.
Late = Callable[[int], bytes]


@dataclass(slots=True)
class _Slot:
    """A line of the answer, whether it is ready, and what it is made in."""

    number: int
    size: int
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    ready: anyio.Event = field(default_factory=anyio.Event)
    line: bytes | None = None


class LineStream(Response):
    """An answer that reads the request's body while it is sent.

    `most`: bytes of a line; `seconds`: how long it may keep those behind it waiting.
    """

    media_type = MEDIA_TYPE

    def __init__(self, work: Work, most: int, late: Late, seconds: float) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers()
        del self.headers["content-length"]
        self._work = work
        self._late = late
        self._seconds = seconds
        self._splitter = LineSplitter(most)
        self._held = 0
        self._room = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        entry, exit = anyio.create_memory_object_stream[_Slot](WINDOW)
        async with anyio.create_task_group() as group:

            async def leave() -> None:
                group.cancel_scope.cancel()

            async def read() -> None:
                async with anyio.create_task_group() as work:
                    await self._read(receive, entry, work.start_soon, leave)

            group.start_soon(read)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._write(exit, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            await leave()

    async def _read(
        self,
        receive: Receive,
        entry: ObjectSendStream[_Slot],
        start: Callable[..., object],
        leave: Callable[[], Awaitable[None]],
    ) -> None:
        """Take the body apart and start on every line; then wait for the client to leave."""
        number = 0
        async with entry:
            while True:
                message: Message = await receive()
                if message["type"] == "http.disconnect":
                    return await leave()
                last = not message.get("more_body", False)
                lines = self._splitter.feed(message.get("body", b""))
                for line in [*lines, *(self._splitter.end() if last else [])]:
                    number += 1
                    slot = _Slot(number, len(line or b""))
                    while self._held and self._held + slot.size > WINDOW_BYTES:
                        self._room = anyio.Event()
                        await self._room.wait()
                    self._held += slot.size
                    try:
                        await entry.send(slot)
                    except anyio.BrokenResourceError:  # the answer has been given up
                        return
                    start(self._do, slot, line)
                if last:
                    break
        while (await receive())["type"] != "http.disconnect":
            pass
        await leave()

    async def _do(self, slot: _Slot, line: bytes | None) -> None:
        with slot.scope:
            slot.line = await self._work(slot.number, line)
            slot.ready.set()

    async def _done(self, slot: _Slot) -> bytes | None:
        """The line of the answer when it is ready, or the one that says that it was not in time."""
        with anyio.move_on_after(self._seconds):
            await slot.ready.wait()
        if slot.ready.is_set():
            return slot.line
        slot.scope.cancel()
        return self._late(slot.number)

    async def _write(self, exit: ObjectReceiveStream[_Slot], send: Send) -> None:
        async with exit:
            async for slot in exit:
                line = await self._done(slot)
                self._held -= slot.size
                self._room.set()
                if line is not None:
                    await send({"type": "http.response.body", "body": line, "more_body": True})
