"""Which process is meant: a pid alone is used again, a pid and the time it was started are not."""

from __future__ import annotations

import subprocess
from pathlib import Path


def process_started(pid: int) -> str | None:
    """When a process was started, as a text that another process with the same pid does not have; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] in "ZX":
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
        return f"{boot}:{fields[19]}"
    except (OSError, IndexError):
        pass
    if Path("/proc/self/stat").exists():
        return None
    try:
        done = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
