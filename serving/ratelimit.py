"""How many requests one caller may make: the middleware that answers 429 beyond.

A caller is the name of an API key or, without one, the client's address (of IPv6, its /64 network). Requests count, not
the documents in them or in a stream. The counters are in this process: with several workers, each lets through as many
as the limit says. What a key is refused for (401, 403) is not counted.

The window slides: the requests of the window before count by the share of it that is still inside.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Sequence

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.middleware import KEY_NAME, Passage, route_path
from serving.problems import Problem, problem_response

#: Counters kept: two of each caller and limit. Beyond, the oldest go: about 15 MB.
MAX_COUNTERS = 50_000

_EXEMPT = frozenset({"/healthz", "/readyz", "/metrics"})
_STATIC = "/static/"


def parse_limits(text: str) -> list[RateLimitItem]:
    """Return the limits that a setting says, like `600/minute` or `10/second; 600/minute`; raises ValueError."""
    try:
        items = parse_many(text)
    except ValueError:
        items = []
    if not items or any(item.amount < 1 for item in items):
        raise ValueError(f"{text!r} is not a rate limit; write it like '600/minute' or '10/second; 600/minute'")
    return items


class _Counters(MemoryStorage):
    """The library's counters, in bounded memory, for one thread: the event loop's.

    The library's own storage looks at every counter each hundredth of a second; here, what has run out goes when
    counters come.
    """

    STORAGE_SCHEME = ["musnad-memory"]  # noqa: RUF012  # as in the library

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to a counter, which is made where it is missing and runs out `expiry` seconds later; return its value."""
        value = self.get(key) + amount
        self.storage[key] = value
        if value == amount:
            self.expirations[key] = time.time() + expiry
            self._shrink()
        return value

    def _shrink(self) -> None:
        now = time.time()
        while self.expirations:
            oldest = next(iter(self.expirations))
            if self.expirations[oldest] > now and len(self.expirations) <= MAX_COUNTERS:
                break
            self.clear(oldest)


class RateLimit:
    """Middleware: 429 with `Retry-After` for a caller beyond one of the limits; none of its requests counts then.

    Answers say where the caller stands in `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
    Health, metrics and static files are exempt.
    """

    def __init__(self, app: ASGIApp, limits: Sequence[RateLimitItem]) -> None:
        self._app = app
        self._limits = limits
        self._windows = SlidingWindowCounterRateLimiter(_Counters())
        self._policy = ", ".join(f'"{_name(item)}";q={item.amount};w={item.get_expiry()}' for item in limits).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _exempt(route_path(scope)):
            await self._app(scope, receive, send)
            return
        caller = _caller(scope)
        beyond = [item for item in self._limits if not self._windows.test(item, caller)]
        if not beyond:
            for item in self._limits:
                self._windows.hit(item, caller)
        headers = [(b"ratelimit-policy", self._policy), (b"ratelimit", self._standing(caller))]
        passage = Passage(receive, send, headers)
        if beyond:
            seconds = max(self._wait(item, caller) for item in beyond)
            again = "in 1 second" if seconds == 1 else f"in {seconds} seconds"
            detail = f"More than {' and '.join(str(item) for item in beyond)}; try again {again}."
            problem = Problem("rate-limited", detail, headers={"Retry-After": str(seconds)})
            await problem_response(problem)(scope, passage.receive, passage.send)
        else:
            await self._app(scope, passage.receive, passage.send)

    def _standing(self, caller: str) -> bytes:
        """What is left of each limit and, where it is nothing, seconds until there is more."""
        parts = []
        for item in self._limits:
            left = self._windows.get_window_stats(item, caller).remaining
            parts.append(f'"{_name(item)}";r={left}' + ("" if left else f";t={self._wait(item, caller)}"))
        return ", ".join(parts).encode()

    def _wait(self, item: RateLimitItem, caller: str) -> int:
        """Whole seconds until the next request of the caller would be let through."""
        seconds = item.get_expiry()
        before, before_runs_out, current, current_runs_out = self._storage.get_sliding_window(
            item.key_for(caller), seconds
        )
        if current < item.amount:  # some of the window before must slide out
            wait = before_runs_out - (item.amount - current) * seconds / before if before else 0.0
        else:  # the window must end, and then some of it slide out
            wait = current_runs_out - seconds + (1 - item.amount / current) * seconds
        return max(1, math.floor(wait + 0.001) + 1)  # times since 1970, as floats, are a little off

    @property
    def _storage(self) -> _Counters:
        storage = self._windows.storage
        assert isinstance(storage, _Counters)
        return storage


def _exempt(path: str) -> bool:
    return path in _EXEMPT or path.startswith(_STATIC)


def _caller(scope: Scope) -> str:
    if (name := scope.get(KEY_NAME)) is not None:
        return f"key:{name}"
    host = scope["client"][0] if scope.get("client") else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:  # a socket file has no address
        return f"address:{host}"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return f"address:{ipaddress.ip_network((address, 64), strict=False).network_address}"
        address = address.ipv4_mapped
    return f"address:{address}"


def _name(item: RateLimitItem) -> str:
    """The limit's window in words, like `minute` or `2 hours`."""
    name = item.GRANULARITY.name
    return name if item.multiples == 1 else f"{item.multiples} {name}s"
