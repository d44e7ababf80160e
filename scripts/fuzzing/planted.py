"""Faults of every kind that is to be seen, so that a run shows first that it sees them."""

from __future__ import annotations

import os
import signal

from fuzzing.cases import Case
from fuzzing.trials import NotSane, Outcome, outcome

FAULTS = ("signal", "hang", "memory", "raised", "not sane")  # how what is said of each begins


class Planted:
    """Stands in for `Trials`: case 0 has no fault, the next five each their own, and so on."""

    def __call__(self, case: Case) -> Outcome:
        """Do what must not be done."""
        fault = (None, *FAULTS)[case.index % (1 + len(FAULTS))]
        if fault == "signal":
            os.kill(os.getpid(), signal.SIGSEGV)
        while fault == "hang":
            pass
        return outcome(lambda: _misbehave(fault))


def _misbehave(fault: str | None) -> None:
    if fault == "memory":
        bytearray(2**40)
    if fault == "raised":
        raise KeyError("planted")
    if fault == "not sane":
        raise NotSane("planted")
