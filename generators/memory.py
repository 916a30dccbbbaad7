"""What this process holds in memory, and giving back what it no longer needs."""
from __future__ import annotations

import ctypes
import os
import resource
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3      # names of mallopt's parameters in malloc.h


def resident() -> int:
    """Resident memory now [bytes]; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def peak() -> int:
    """Largest resident memory so far [bytes]."""
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found * 1024


def hold() -> None:
    """Let the C library (glibc) keep freed memory for the next picture, until :func:`give_back`.

    By itself it returns a picture's arrays and asks the system for fresh pages for the next one: some 1000 page faults per unit
    in three modalities, next to none with this. Arrays of more than 32 MB still go back at once.
    """
    option = getattr(ctypes.CDLL(None), "mallopt", None)
    if option is not None:
        option(_MMAP_THRESHOLD, 32 << 20)
        option(_TRIM_THRESHOLD, 256 << 20)


def give_back() -> None:
    """Return freed memory to the system, where the C library can (glibc). Pictures leave some 100 MB of it behind per shard."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


__all__ = ["give_back", "hold", "peak", "resident"]
