"""What this machine's processor offers."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Literal

#: Instructions that multiply matrices of these numbers, by the names that Linux gives them.
_INSTRUCTIONS = {
    "bf16": {"avx512_bf16", "amx_bf16"},
    "int8": {"avx512_vnni", "avx_vnni", "amx_int8"},
}


def cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def multiplies(kind: Literal["bf16", "int8"]) -> bool:
    """Whether the processor is known to have instructions for matrices of such numbers."""
    return not _INSTRUCTIONS[kind].isdisjoint(_flags())


@cache
def _flags() -> frozenset[str]:
    """What Linux says of the processor; nothing elsewhere."""
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return frozenset()
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, flags = line.partition(":")
        if name.strip() == "flags":
            return frozenset(flags.split())
    return frozenset()
