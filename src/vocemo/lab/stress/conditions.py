"""The conditions of the robustness table, each with its family, level and unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from vocemo.errors import UnknownNameError
from vocemo.lab.augment.recordings import Recordings
from vocemo.lab.augment.telephone import RATE_HZ
from vocemo.lab.stress import mp3
from vocemo.lab.stress.babble import Babble, Voices
from vocemo.lab.stress.degradation import AnyDegradation, AsRecorded
from vocemo.lab.stress.level import ActiveLevel, Clipped, GainAtRecorder
from vocemo.lab.stress.mixing import RecordedNoise, WhiteNoise
from vocemo.lab.stress.mp3 import Mp3
from vocemo.lab.stress.pace import Pace
from vocemo.lab.stress.recorded_like import RecordedLikeNoise
from vocemo.lab.stress.reverberation import Reverberation
from vocemo.lab.stress.telephone import Telephone

CLEAN = "clean"
SNRS_DB = (20, 10, 5, 0)
RT60S_S = (0.3, 0.6, 1.0)
RATES = (0.9, 1.1)

FAMILIES = {
    CLEAN: "as recorded",
    "white": "white noise",
    "babble": "babble",
    "recorded-like": "recorded-like noise",
    "recorded": "recorded noise",
    "reverberation": "reverberation",
    "telephone": "telephone",
    "mp3": "MP3",
    "speed": "speed",
    "tempo": "tempo",
    "gain": "gain",
    "quiet": "quiet",
    "clipped": "clipped",
}


@dataclass(frozen=True)
class Condition:
    """A degradation at a level; `family` names what has several levels, `unit` is that of the level."""

    name: str
    family: str
    level: float | None
    unit: str
    degradation: AnyDegradation


@dataclass(frozen=True)
class Choice:
    """The conditions to measure, as recorded first, and why some that were asked for cannot be."""

    conditions: tuple[Condition, ...]
    skipped: dict[str, str] = field(default_factory=dict)  # name -> reason


def table(voices: Voices | None = None, noises: Recordings | None = None) -> tuple[Condition, ...]:
    """Every condition, in the table's order.

    voices: what babble is made of. noises: the user's own recordings; None: no family `recorded`.

    >>> [condition.name for condition in table() if condition.family == "reverberation"]
    ['reverberation-0.3', 'reverberation-0.6', 'reverberation-1.0']
    """
    talk = voices or Voices()
    made = [Condition(CLEAN, CLEAN, None, "", AsRecorded())]
    made += [Condition(f"white-{db}", "white", db, "dB SNR", WhiteNoise(db)) for db in SNRS_DB]
    made += [Condition(f"babble-{db}", "babble", db, "dB SNR", Babble(db, talk)) for db in SNRS_DB]
    made += [
        Condition(f"recorded-like-{db}", "recorded-like", db, "dB SNR", RecordedLikeNoise(db))
        for db in SNRS_DB
    ]
    if noises is not None:
        made += [
            Condition(f"recorded-{db}", "recorded", db, "dB SNR", RecordedNoise(db, noises)) for db in SNRS_DB
        ]
    made += [
        Condition(f"reverberation-{rt60_s}", "reverberation", rt60_s, "s RT60", Reverberation(rt60_s))
        for rt60_s in RT60S_S
    ]
    made.append(Condition("telephone", "telephone", RATE_HZ, "Hz", Telephone()))
    made.append(Condition("mp3-32", "mp3", 32, "kbit/s", Mp3(32.0)))
    for family, method in (("speed", "resample"), ("tempo", "stretch")):
        made += [Condition(f"{family}-{rate}", family, rate, "x", Pace(rate, method)) for rate in RATES]
    made += [
        Condition("gain-minus-20", "gain", -20, "dB", GainAtRecorder(-20.0)),
        Condition("gain-plus-20", "gain", 20, "dB", GainAtRecorder(20.0)),
        Condition("quiet", "quiet", -60, "dBov", ActiveLevel(-60.0)),
        Condition("clipped-10", "clipped", 10, "%", Clipped(0.1)),
    ]
    return tuple(made)


def choose(conditions: Sequence[Condition], asked: Iterable[str] = ()) -> Choice:
    """The conditions of these names or families, all where none is given, in the table's order.

    As recorded is always among them. Raises UnknownNameError for a name that is neither.

    >>> [condition.name for condition in choose(table(), ["babble-10", "speed"]).conditions]
    ['clean', 'babble-10', 'speed-0.9', 'speed-1.1']
    """
    names = {condition.name for condition in conditions}
    families = dict.fromkeys(condition.family for condition in conditions)
    wanted = list(asked)
    for name in wanted:
        if name not in names and name not in families:
            valid = dict.fromkeys([*families, *(condition.name for condition in conditions)])
            raise UnknownNameError("condition", name, valid)
    chosen = [
        condition
        for condition in conditions
        if not wanted or condition.name in (CLEAN, *wanted) or condition.family in wanted
    ]
    skipped: dict[str, str] = {}
    if any(condition.family == "mp3" for condition in chosen) and mp3.unavailable():
        skipped = {c.name: mp3.unavailable() for c in chosen if c.family == "mp3"}
    return Choice(tuple(c for c in chosen if c.name not in skipped), skipped)
