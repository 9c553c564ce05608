"""`musnad bulk` as a process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

_COMMAND = "from serving.bulk.commands import app; app()"


def begin(archive: Path, output: Path, *options: str) -> subprocess.Popen[str]:
    """Start the command; its standard error is a pipe."""
    arguments = [sys.executable, "-c", _COMMAND, str(archive), str(output), *options]
    return subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)


def until_finished(process: subprocess.Popen[str], output: Path, parts: int) -> None:
    """Wait until a running command has finished so many parts."""
    while not (output / "finished").exists() or len(list((output / "finished").glob("[0-9]*"))) < parts:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
