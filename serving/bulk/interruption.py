"""SIGINT during a run: it ends it wherever it comes, also where Python alone would lose it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Within it SIGINT raises KeyboardInterrupt, and whatever else then ends the block becomes one.

    Yields a check, to be called again and again: Python drops an exception that a callback raises, such as those of
    objects that vanish, and C++ turns it into another; the check raises KeyboardInterrupt where SIGINT has come all
    the same. Nothing is done outside the main thread, or where SIGINT is ignored or someone else's.
    """
    came = False

    def come(_number: int, _frame: FrameType | None) -> None:
        nonlocal came
        came = True
        raise KeyboardInterrupt

    def check() -> None:
        if came:
            raise KeyboardInterrupt

    own = threading.current_thread() is threading.main_thread()
    if not own or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield check
        return
    try:
        signal.signal(signal.SIGINT, come)
        yield check
    except BaseException:
        check()
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    check()
