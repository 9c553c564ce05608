"""A real PostgreSQL server of Debian's packages, in a directory and on a port of its own, that keeps what it says."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Where Debian puts the programs of each version.
_DEBIAN = Path("/usr/lib/postgresql")
_USER = "postgres"


def missing() -> str | None:
    """What keeps the server from running here, if anything."""
    if _programs() is None:
        return f"PostgreSQL's initdb and postgres are not in {_DEBIAN}/*/bin nor on the path (apt install postgresql)"
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            return "PostgreSQL does not run as root, and setpriv is not here"
        try:
            pwd.getpwnam(_USER)
        except KeyError:
            return f"PostgreSQL does not run as root, and there is no user {_USER}"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed (the extra `postgres`)"
    return None


@contextmanager
def server() -> Iterator[str]:
    """Run a server, fsync on; gives the URL of its databases, which ends in a slash."""
    programs = _programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="musnad-postgresql-"))  # pytest's own are for its user alone
    if os.geteuid() == 0:
        shutil.chown(folder, _USER, _USER)
    data = folder / "data"
    initdb = [programs / "initdb", "-D", data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
    try:
        subprocess.run(_as_user(*initdb), cwd=folder, check=True, capture_output=True)
        port = _free_port()
        settings = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=on")
        options = [part for setting in settings for part in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                _as_user(programs / "postgres", "-D", data, *options), cwd=folder, stdout=log, stderr=log
            )
        url = f"postgresql://{_USER}@127.0.0.1:{port}/"
        try:
            _wait(process, url, folder / "log")
            yield url
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nothing of it is needed any more
            process.wait(60)
    finally:
        shutil.rmtree(folder)


def _programs() -> Path | None:
    found = sorted(
        _DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]) if path.parts[-3].isdecimal() else 0
    )
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _as_user(*command: object) -> list[str]:
    if os.geteuid() != 0:
        return [str(part) for part in command]
    # the server ends with the tests, even where these are killed
    rights = ("setpriv", "--reuid", _USER, "--regid", _USER, "--init-groups", "--pdeathsig", "INT", "--")
    return [*rights, *(str(part) for part in command)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    import psycopg

    end = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(f"{url}postgres", connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text(errors="replace")) from None
            time.sleep(0.05)
