"""Keep the memory that a step gives back, so that the next one need not ask for it page by page.

A training step on a CPU allocates and frees the same gigabyte again and again. glibc returns every large block to the
system at once, and gets it back as pages of zeros, at the first touch of each: a fault for every 4 KiB. Kept pages cost
nothing but that the process stays as large as its largest step.
"""

from __future__ import annotations

import ctypes
import platform

# glibc's <malloc.h>, `man 3 mallopt`; the values are C ints
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
MOST = 2**31 - 1
PAD = 64 * 2**20


def keep_pages() -> bool:
    """Tell the C library to keep freed memory for the process's next allocations, from now on.

    Returns whether it does: False on systems whose C library is not glibc, which are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    said = ((M_MMAP_THRESHOLD, MOST), (M_TRIM_THRESHOLD, MOST), (M_TOP_PAD, PAD))
    done = [mallopt(name, value) == 1 for name, value in said]  # each, even after one that was refused
    return all(done)
