"""What this machine can do at best: writes of one row to the disk, and rows committed by hand."""

import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_ROW = b"x" * 512
_SECONDS = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """How often a second one row reaches the disk, and how long it takes in the middle."""

    rate: float
    median_s: float


def fdatasync() -> Disk:
    """Append rows, each with fdatasync, where temporary files are; for a second and a half."""
    with tempfile.TemporaryDirectory(prefix="mainstem-bench-") as name:
        handle = os.open(Path(name) / "rows", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        spent: list[float] = []
        began = time.perf_counter()
        try:
            while time.perf_counter() - began < _SECONDS:
                before = time.perf_counter()
                os.write(handle, _ROW)
                os.fdatasync(handle)
                spent.append(time.perf_counter() - before)
        finally:
            os.close(handle)
    return Disk(rate=len(spent) / sum(spent), median_s=statistics.median(spent))
