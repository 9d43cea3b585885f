"""Texts of benchmarks, the same for both sides: Python's own library, which every environment has."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SYMBOLS = 128  # ASCII; what is beyond is the last of them


def characters(count: int) -> NDArray[np.int64]:
    """The first so many of the library's largest modules, (count,), as indices below SYMBOLS."""
    found, total = [], 0
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"), key=lambda one: (-one.stat().st_size, one)):
        found.append(np.frombuffer(path.read_bytes(), dtype=np.uint8))
        total += len(found[-1])
        if total >= count:
            return np.minimum(np.concatenate(found)[:count], SYMBOLS - 1).astype(np.int64)
    raise RuntimeError(f"the library has only {total} characters, not {count}")
