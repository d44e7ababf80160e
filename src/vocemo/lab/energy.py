r"""What a training costs in energy: measured where the processor counts it, else estimated.

Measured: the processor's own counters (RAPL), which Linux shows under /sys/class/powercap. They count the
whole processor, so that other work at the same time is in the figure, and no graphics card is.

Estimated, by the formula of Green Algorithms:
$$E = t \, (n_\mathrm{c} P_\mathrm{c} + n_\mathrm{g} P_\mathrm{g} + m P_\mathrm{m}) \cdot \mathrm{PUE}$$
for $t$ the time, $n_\mathrm{c}$ processor cores at full use, $n_\mathrm{g}$ graphics cards and $m$ the memory
that is there in GB. The powers are that tool's for a processor or card of unknown make.

Source: Lannelongue, Grealey & Inouye, Advanced Science 2021, 8(12), 2100707, doi:10.1002/advs.202100707.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COUNTERS = Path("/sys/class/powercap")

CORE_W = 12.0
CARD_W = 200.0
MEMORY_W_PER_GB = 0.3725
PUE = 1.67  # of data centres on average: what cooling and supply take beside


@dataclass(frozen=True)
class Energy:
    """Of some trainings, in kWh; `how` says by what means it is known."""

    kwh: float
    measured: bool
    how: str


class Meter:
    """Joules since it was made, by the counters below a folder.

    >>> Meter(Path("no/such/folder")).joules() is None
    True
    """

    def __init__(self, counters: Path | None = None) -> None:
        root = COUNTERS if counters is None else counters
        self._begun = {
            zone: read for zone in _packages(root) if (read := _count(zone / "energy_uj")) is not None
        }

    def joules(self) -> float | None:
        """Of all processors; None where they do not tell, or not all of them still do."""
        total_uj = 0
        for zone, begun in self._begun.items():
            now = _count(zone / "energy_uj")
            if now is None:
                return None
            # A counter begins anew at its end; for a longer time than one round of it, too little is counted.
            round_uj = _count(zone / "max_energy_range_uj") or 0
            total_uj += now - begun if now >= begun else now + round_uj - begun
        return total_uj / 1e6 if self._begun else None


def _packages(root: Path) -> list[Path]:
    """The zones that stand for whole processors; what lies within them is counted there already."""
    try:
        zones = sorted(root.glob("*rapl*:*"))
    except OSError:
        return []
    return [zone for zone in zones if _text(zone / "name").startswith("package")]


def _count(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def memory_gb() -> float | None:
    """The memory of this machine in GB; None where the system does not say."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, OSError, ValueError):
        return None


def of_training(seconds: float, made: Mapping[str, Any], joules: Iterable[float | None] = ()) -> Energy:
    """The energy of a training.

    seconds: how long it trained. made: what it was trained on, as run.json has it.
    joules: those of each of its epochs; measured where every epoch was, by a processor that trained.

    >>> of_training(3600, {"device": "cpu", "threads": 2, "memory_gb": 24.0}).kwh
    0.05501
    """
    counted = list(joules)
    device = str(made.get("device", "cpu"))
    if counted and device == "cpu" and all(each is not None for each in counted):
        kwh = sum(each for each in counted if each is not None) / 3.6e6
        return Energy(kwh, True, "the processor's own counters (RAPL), other work at the time included")
    cores = int(made.get("threads") or 1)
    cards, held_gb = int(device != "cpu"), float(made.get("memory_gb") or 0.0)
    watts = cores * CORE_W + cards * CARD_W + held_gb * MEMORY_W_PER_GB
    terms = [f"{cores} core{'s' * (cores != 1)} x {CORE_W:g} W"]
    terms += [f"{cards} graphics card x {CARD_W:g} W"] * cards
    terms += [f"{held_gb:g} GB x {MEMORY_W_PER_GB} W" if held_gb else "memory not recorded"]
    how = f"{seconds:,.0f} s x ({' + '.join(terms)}) x PUE {PUE}"
    if "threads" not in made:
        how += "; how many cores is not recorded, so one is counted"
    return Energy(round(seconds / 3.6e6 * watts * PUE, 5), False, how)
