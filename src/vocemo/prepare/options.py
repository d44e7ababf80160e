"""The options of preparation, as a recipe gives them and a bundle keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from vocemo.audio.resampling import check_rate
from vocemo.errors import UnknownNameError, UsageError

Level = Literal["peak", "rms", "none"]
NoiseReduction = Literal["none", "stationary", "nonstationary"]
Crop = Literal["start", "centre"]

# What a model hears at once; a file that asks for more would only fill the memory.
LONGEST_S = 600.0
MOST_SAMPLES = 10_000_000


@dataclass(frozen=True)
class Preparation:
    """What is done to a recording before a model sees it, in the order of the fields but for the offset.

    The offset is cut first, at the recording's own rate, as `librosa.load(offset=...)` does.
    errors: UnknownNameError for a name that is no level, noise reduction or crop; UsageError for a
        number that makes no sense.

    >>> Preparation(level="loud")
    Traceback (most recent call last):
        ...
    vocemo.errors.UnknownNameError: unknown level 'loud'; Valid: peak, rms, none
    """

    sample_rate: int = 16_000  # Hz
    remove_dc: bool = True
    noise_reduction: NoiseReduction = "none"
    trim_below_peak_db: float | None = None  # dB below the loudest frame; None: nothing is trimmed
    level: Level = "none"
    level_db: float = -26.0  # dBFS, of the peak or of the RMS
    offset_s: float = 0.0
    length_s: float | None = None  # None: as long as it is
    crop: Crop = "centre"
    max_length_s: float = 12.0  # the longest window that a model of variable length is given
    min_length_s: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        for kind, given, names in (
            ("noise reduction", self.noise_reduction, get_args(NoiseReduction)),
            ("level", self.level, get_args(Level)),
            ("crop", self.crop, get_args(Crop)),
        ):
            if given not in names:
                raise UnknownNameError(kind, str(given), names)
        if not isinstance(self.remove_dc, bool):
            raise UsageError(f"remove_dc {self.remove_dc!r}; valid: true, false")
        check_rate(self.sample_rate, "sample_rate")
        _check("level_db", self.level_db, -120.0, 0.0)
        _check("offset_s", self.offset_s, 0.0, LONGEST_S)
        _check("min_length_s", self.min_length_s, 0.0, LONGEST_S)
        _check("max_length_s", self.max_length_s, max(self.min_length_s, 1 / self.sample_rate), LONGEST_S)
        if self.trim_below_peak_db is not None:
            _check("trim_below_peak_db", self.trim_below_peak_db, 0.0, 200.0)
        if self.length_s is not None:
            _check("length_s", self.length_s, 1 / self.sample_rate, LONGEST_S)
        for name, seconds in (("max_length_s", self.max_length_s), ("length_s", self.length_s or 0.0)):
            if seconds * self.sample_rate > MOST_SAMPLES:
                raise UsageError(
                    f"{name} {seconds!r} at {self.sample_rate:,} Hz; valid: up to {MOST_SAMPLES:,} samples"
                )

    @property
    def length(self) -> int | None:
        """The fixed length in samples, or None."""
        return None if self.length_s is None else max(1, round(self.length_s * self.sample_rate))

    def to_dict(self) -> dict[str, Any]:
        """Every option by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, options: Mapping[str, Any]) -> Preparation:
        """The options that a recipe or a bundle names; the others have their defaults.

        errors: UnknownNameError for an option that does not exist, and as the class itself.

        >>> Preparation.from_dict({"level": "rms", "length_s": 3}).length
        48000
        """
        valid = [field.name for field in fields(cls)]
        for name in options:
            if name not in valid:
                raise UnknownNameError("preparation option", str(name), valid)
        # TOML and JSON write 3 for 3.0: one value, one text, one hash.
        return cls(**{name: _as_float(name, value) for name, value in options.items()})


def _as_float(name: str, value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
    return float(value) if whole and name.endswith(("_s", "_db")) else value


def _check(name: str, value: float, low: float, high: float) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise UsageError(f"{name} {repr(value)[:80]}; valid: a number from {low:g} to {high:g}")
