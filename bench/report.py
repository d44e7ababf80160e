"""Where a benchmark's figures go: a file that says by which command, of which code and when they came."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vocemo.lab import provenance


def write(out: Path, figures: Mapping[str, Any]) -> None:
    """Write figures as JSON, with the cores that the process may use, its command, commit and date."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    out.parent.mkdir(parents=True, exist_ok=True)
    report = {**figures, "cores": cores, **provenance.stamp()}
    out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
