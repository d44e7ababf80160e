"""Other people's voices under the voice, or where there are too few, noise that sways as voices do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vocemo.lab.augment.background_noise import excerpt
from vocemo.lab.augment.transform import Samples
from vocemo.lab.corpora.clip import UNKNOWN_SPEAKER, Clip
from vocemo.lab.stress.active_speech import active_power, active_speech
from vocemo.lab.stress.mixing import mixed
from vocemo.lab.stress.sounds import Sounds

TALKERS = 6
FEWEST = 4  # other speakers; with fewer the babble is made of noise
CLIPS_A_SPEAKER = 8  # that babble is drawn from: enough to vary, few enough to keep

# Speech over time has most of its power below 500 Hz and falls from there on by about 9 dB an octave
# (after Byrne et al. 1994, "An international comparison of long-term average speech spectra").
_FLAT_TO_HZ, _FROM_HZ, _FALL = 500.0, 100.0, 1.5  # the fall as an exponent of amplitude
# Syllables come four times a second; envelopes of speech vary little above 16 Hz (Houtgast & Steeneken 1985).
_SYLLABLES_HZ = (1.0, 8.0)


@dataclass(frozen=True)
class Voices:
    """Whose clips babble is made of."""

    by_speaker: Mapping[str, tuple[Clip, ...]] = field(default_factory=dict)
    sounds: Sounds = field(default_factory=Sounds)
    _heard: dict[tuple[str, int], Samples] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, clips: Iterable[Clip], sounds: Sounds, rng: np.random.Generator) -> Voices:
        """Some spoken clips of every known speaker; sung ones only where nobody speaks."""
        known = sorted(
            (clip for clip in clips if not clip.speaker.endswith(f"/{UNKNOWN_SPEAKER}")),
            key=lambda clip: (clip.speaker, clip.path.name, clip.key),
        )
        spoken = [clip for clip in known if clip.channel == "speech"] or known
        found: dict[str, list[Clip]] = {}
        for clip in spoken:
            found.setdefault(clip.speaker, []).append(clip)
        chosen = {
            speaker: tuple(own[place] for place in rng.permutation(len(own))[:CLIPS_A_SPEAKER])
            for speaker, own in found.items()
        }
        return cls(chosen, sounds)

    def active(self, clip: Clip, sample_rate: int) -> Samples:
        """The active part of a clip with a mean square of 1, (N,); of silence nothing.

        Kept once it is known: the clips are few. Raises CorpusError for one that cannot be read.
        """
        key = (clip.key, sample_rate)
        if key not in self._heard:
            heard = self.sounds.samples(clip, sample_rate)
            spoken = active_speech(heard, sample_rate)
            power = active_power(heard, spoken)
            self._heard[key] = heard[spoken] / np.float32(np.sqrt(power)) if power > 0 else heard[:0]
        return self._heard[key]

    def others(self, speaker: str) -> list[str]:
        """Everybody but one."""
        return [name for name in self.by_speaker if name != speaker]

    @property
    def enough(self) -> bool:
        """Whether every clip has babble of people."""
        return len(self.by_speaker) > FEWEST


@dataclass(frozen=True)
class BabbleParameters:
    """Drawn voices, each a clip and where its excerpt begins (from 0 to 1); none: noise of this seed."""

    voices: tuple[tuple[Clip, float], ...]
    seed: int


@dataclass(frozen=True)
class Babble:
    """Six voices, equally loud, each of another speaker and none the clip's own.

    A voice is the active part of a clip, repeated where it is too short. Where fewer than four others are
    known, six streams of `speech_like_noise` stand for them.
    """

    snr_db: float
    voices: Voices

    def draw(self, rng: np.random.Generator, speaker: str) -> BabbleParameters:
        """Speakers, a clip of each, and where in it."""
        others = self.voices.others(speaker)
        seed = int(rng.integers(2**63))
        if len(others) < FEWEST:
            return BabbleParameters((), seed)
        drawn = []
        for place in rng.permutation(len(others))[:TALKERS]:
            clips = self.voices.by_speaker[others[place]]
            drawn.append((clips[int(rng.integers(len(clips)))], rng.random()))
        return BabbleParameters(tuple(drawn), seed)

    def apply(self, samples: Samples, sample_rate: int, parameters: BabbleParameters) -> Samples:
        """The samples with voices, (N,) -> (N,). Raises CorpusError for a voice that cannot be read."""
        if not parameters.voices:
            rng = np.random.default_rng(parameters.seed)
            noise = sum(speech_like_noise(len(samples), sample_rate, rng) for _ in range(TALKERS))
            return mixed(samples, sample_rate, np.asarray(noise, np.float32), self.snr_db)
        noise = np.zeros(len(samples), np.float32)
        for clip, start in parameters.voices:
            voice = self.voices.active(clip, sample_rate)
            if len(voice):
                noise += excerpt(voice, len(samples), start)
        return mixed(samples, sample_rate, noise, self.snr_db)


def speech_like_noise(length: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """Gaussian noise with the long-term spectrum of speech, by an envelope of syllables, (length,).

    The spectrum is flat from 100 to 500 Hz and falls by 9 dB an octave from there. The envelope is the
    magnitude of Gaussian noise between 1 and 8 Hz.
    source: after Dreschler et al. 2001, "ICRA noises", in a single band.
    """
    longer = max(-(-length // 1024) * 1024, 4 * sample_rate)  # long enough to hold slow syllables
    hz = np.fft.rfftfreq(longer, 1 / sample_rate)
    fall = (_FLAT_TO_HZ / np.maximum(hz, _FLAT_TO_HZ)) ** _FALL
    voice = _gaussian(np.where(hz < _FROM_HZ, 0.0, fall), longer, rng)
    low_hz, high_hz = _SYLLABLES_HZ
    envelope = _gaussian(np.where((hz >= low_hz) & (hz <= high_hz), 1.0, 0.0), longer, rng)
    return np.asarray((voice * np.abs(envelope))[:length], np.float32)


def _gaussian(shape: NDArray[np.float64], length: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Gaussian noise of this magnitude at each frequency, with an RMS of 1."""
    spectrum = shape * (rng.standard_normal(len(shape)) + 1j * rng.standard_normal(len(shape)))
    noise = np.fft.irfft(spectrum, length)
    return np.asarray(noise / np.sqrt(np.mean(np.square(noise))))
