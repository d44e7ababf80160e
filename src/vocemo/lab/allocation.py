"""How the C library keeps the memory that a training frees."""

from __future__ import annotations

import ctypes
import os
from functools import cache

# mallopt's numbers: https://www.gnu.org/software/libc/manual/html_node/Malloc-Tunable-Parameters.html
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_BYTES = (2**30, 2**25)  # the largest that is taken: older versions refuse more than 32 MiB
_CHOSEN_BY = ("GLIBC_TUNABLES", "LD_PRELOAD", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


@cache
def keep_freed_memory() -> bool:
    """Let this process keep the memory of freed tensors for the next; whether the C library does so.

    glibc maps each large block anew and gives it back when freed, so that every step's activations are
    paged in and zeroed again, which a training on a processor feels. Where the environment chooses an
    allocator or its thresholds, they stand. The process's largest size is unchanged.
    """
    if any(name in os.environ for name in _CHOSEN_BY):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
        ctypes.CDLL(None).gnu_get_libc_version  # noqa: B018 (another C library has other numbers)
    except (OSError, TypeError, AttributeError):  # not glibc, not Linux
        return False
    # The two go together: setting one alone ends glibc's own adjustment of the other.
    return any(mallopt(_M_MMAP_THRESHOLD, size) for size in _BYTES) and bool(
        mallopt(_M_TRIM_THRESHOLD, _BYTES[0])
    )
