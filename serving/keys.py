"""API keys: how they are made, the file that holds them, and who asks with one.

A key is `msn_` and 32 random bytes in base64url. The file holds its SHA-256, not the key. A slow, salted hash, as
passwords need, would be wrong here: those guard secrets that people make up, which can be guessed one after another,
and 256 random bits cannot be guessed, however fast each guess is; while a slow hash would have every request pay, and
let anybody keep the service busy with wrong keys. Two keys are never the same, so that a salt has nothing to hide.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import logging
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

_log = logging.getLogger(__name__)

PREFIX = "msn_"
#: What a key may be for; none includes another.
SCOPES = ("predict", "annotate", "admin")
#: Seconds between two looks at the file.
CHECK_SECONDS = 1.0

_RANDOM_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FIELDS = {"name", "scopes", "created", "sha256"}


class KeysError(ValueError):
    """A file of keys, or a key, that cannot be used; says which file, which key, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key: its name, its scopes, when it was made (ISO 8601, UTC), its SHA-256 in hexadecimal."""

    name: str
    scopes: tuple[str, ...]
    created: str
    sha256: str


def keys_required(host: str, setting: str) -> bool:
    """Return whether requests need a key, where the service listens on `host`; `setting` is auto, yes or no.

    `auto`: unless the host is loopback: 127.0.0.0/8 (also mapped into IPv6), ::1 or `localhost`. A name is not
    looked up: any other one counts as reachable from elsewhere. Raises ValueError for another setting.
    """
    if setting not in ("auto", "yes", "no"):
        raise ValueError(f"require_keys is {setting!r}; it should be auto, yes or no")
    return setting == "yes" or (setting == "auto" and not _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return host.lower().removesuffix(".") == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


# ---------------------------------------------------------------------------------------------------------------------
# The file


def read_keys(path: Path) -> tuple[Key, ...]:
    """Return the keys in a file; raises KeysError, also where there is no such file."""
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise KeysError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise KeysError(f"{path}: not JSON in UTF-8") from None
    if not isinstance(value, dict) or set(value) != {"keys"} or not isinstance(value["keys"], list):
        raise KeysError(f'{path}: not an object with the one field "keys", a list')
    keys = tuple(_key(f"{path}: keys[{index}]", item) for index, item in enumerate(value["keys"]))
    for index, key in enumerate(keys):
        if any(key.name == other.name or key.sha256 == other.sha256 for other in keys[:index]):
            raise KeysError(f"{path}: keys[{index}]: its name or hash comes twice")
    return keys


def _key(where: str, item: Any) -> Key:
    if not isinstance(item, dict) or set(item) != _FIELDS:
        raise KeysError(f"{where}: not an object with the fields {', '.join(sorted(_FIELDS))}")
    name, scopes, created, sha256 = item["name"], item["scopes"], item["created"], item["sha256"]
    _check_name(f"{where}.name", name)
    _check_scopes(f"{where}.scopes", scopes)
    _check_date(f"{where}.created", created)
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise KeysError(f"{where}.sha256: not 64 hexadecimal digits in lower case")
    return Key(name, tuple(scopes), created, sha256)


def _check_name(where: str, name: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise KeysError(f"{where}: not 1 to 64 of the characters A-Z a-z 0-9 . _ -")


def _check_scopes(where: str, scopes: object) -> None:
    if not isinstance(scopes, list | tuple) or not scopes or any(scope not in SCOPES for scope in scopes):
        raise KeysError(f"{where}: not one or more of {', '.join(SCOPES)}")


def _check_date(where: str, created: object) -> None:
    try:
        datetime.fromisoformat(str(created))
    except ValueError:
        raise KeysError(f"{where}: not a date and time in ISO 8601") from None


def _write_keys(path: Path, keys: Sequence[Key]) -> None:
    """Put a new file, that only its owner can read, in the place of the old one at once; raises OSError."""
    items = [
        {"name": key.name, "scopes": list(key.scopes), "created": key.created, "sha256": key.sha256} for key in keys
    ]
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # its mode is 0600
    try:
        with open(handle, "w", encoding="utf-8") as file:
            json.dump({"keys": items}, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


@contextmanager
def _alone(path: Path) -> Iterator[Path]:
    """Keep others from changing the file meanwhile; yields its place behind symbolic links."""
    import fcntl

    path = path.resolve()
    try:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise KeysError(f"{path.parent}: {error.strerror}") from None
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield path
        os.fsync(directory)
    except OSError as error:
        raise KeysError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        os.close(directory)


def create_key(path: Path, name: str, scopes: Sequence[str]) -> str:
    """Make a key, add it to a file (which is made where it is missing), and return it: it cannot be had again.

    Raises KeysError, also where the file has a key of that name.
    """
    _check_name("name", name)
    _check_scopes("scope", scopes)
    secret = PREFIX + base64.urlsafe_b64encode(secrets.token_bytes(_RANDOM_BYTES)).rstrip(b"=").decode()
    with _alone(path) as place:
        keys = read_keys(place) if place.exists() else ()
        if any(key.name == name for key in keys):
            raise KeysError(f"{place}: there is a key {name!r} already; revoke it first")
        created = datetime.now(UTC).isoformat(timespec="seconds")
        ordered = tuple(scope for scope in SCOPES if scope in scopes)
        _write_keys(place, [*keys, Key(name, ordered, created, _sha256(secret.encode()))])
    return secret


def revoke_key(path: Path, name: str) -> None:
    """Take a key out of a file; raises KeysError, also where there is none of that name."""
    with _alone(path) as place:
        keys = read_keys(place)
        left = [key for key in keys if key.name != name]
        if len(left) == len(keys):
            raise KeysError(f"{place}: there is no key {name!r}")
        _write_keys(place, left)


def _sha256(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()


# ---------------------------------------------------------------------------------------------------------------------
# Who asks


class KeyRing:
    """The keys of a file, which is looked at again at most once a second; a broken file leaves the keys as they were.

    Raises KeysError where the file cannot be used to begin with.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._seen = _signature(path)
        self._keys = read_keys(path)
        self._looked = clock()
        self._looking = anyio.CapacityLimiter(1)
        if not self._keys:
            _log.warning("%s: holds no keys, so that every request is refused", path)

    async def find(self, secret: bytes) -> Key | None:
        """Return the key that `secret` is, or None; looks at the file, in a thread, when it is time to."""
        if (now := self._clock()) - self._looked >= CHECK_SECONDS:
            self._looked = now
            await to_thread.run_sync(self._look, limiter=self._looking)
        sha256 = _sha256(secret)
        found = None
        for key in self._keys:  # all of them: how long this takes tells nothing
            if hmac.compare_digest(key.sha256, sha256):
                found = key
        return found

    def _look(self) -> None:
        if (signature := _signature(self._path)) == self._seen:
            return
        self._seen = signature
        try:
            self._keys = read_keys(self._path)
        except KeysError as error:
            _log.error("the API keys stay as they were: %s", error)
        else:
            _log.info("%s: changed; it holds %d keys now", self._path, len(self._keys))


def _signature(path: Path) -> tuple[int, int, int] | None:
    """What changes with a file: its inode, its size in bytes, and its time in nanoseconds; None where it is missing."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
