"""`musnad serve` in a process of its own, for benchmarks: started, watched and stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_COMMAND = Path(sys.executable).with_name("musnad")
_ADDRESS = re.compile(r"^musnad: .+ on (http://\S+)$", re.MULTILINE)
#: Seconds that a service may take to load its model, and to end.
_START_SECONDS = 120.0
_STOP_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: its address, its process, and the file that its standard error goes to."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def cpu_seconds(self) -> float:
        """Processor time so far."""
        # the second field, the program's name, may hold spaces
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_bytes(self) -> int:
        """Resident memory."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * _PAGE


@contextmanager
def service(**settings: object) -> Iterator[Service]:
    """Run the command on a free port with settings by their names, all others at their defaults, until the end.

    Raises RuntimeError with its log where it does not start, or does not end well when it is told to.
    """
    # a benchmark that is ended from outside, as by timeout(1), is not to leave its servers behind
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="musnad-benchmark-") as folder:
        log = Path(folder) / "log"
        given = {f"MUSNAD_{name.upper()}": str(value) for name, value in {"port": 0, **settings}.items()}
        others = {name: value for name, value in os.environ.items() if not name.startswith("MUSNAD_")}
        with log.open("wb") as errors:
            process = subprocess.Popen([_COMMAND, "serve"], env={**others, **given}, cwd=folder, stderr=errors)
        try:
            yield Service(_address(process, log), process, log)
            process.send_signal(signal.SIGTERM)
            if status := process.wait(_STOP_SECONDS):
                raise RuntimeError(f"the service ended with status {status}:\n{log.read_text()[-2000:]}")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if found := _ADDRESS.search(log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"the service does not start:\n{log.read_text()}")
