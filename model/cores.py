"""What this machine's processor offers."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

#: Instructions that multiply bytes and add up the products, by the names that Linux gives them.
_BYTE_PRODUCTS = {"avx512_vnni", "avx_vnni", "amx_int8"}


def cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


@cache
def multiplies_bytes() -> bool:
    """Whether the processor is known to have instructions for int8 matrices; False where that cannot be told."""
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return False
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, flags = line.partition(":")
        if name.strip() == "flags":
            return not _BYTE_PRODUCTS.isdisjoint(flags.split())
    return False
