"""A small corpus to practise on where there are no recordings: synthetic clips in several invented voices.

It lets notebooks and first steps run on any machine. The clips are caricatures made by a synthesiser
(samples/README.md): what is measured on them says nothing of people.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import vocemo
from vocemo import audio
from vocemo.errors import UsageError
from vocemo.lab.augment import PitchShift, PitchShiftParameters, Speed, SpeedParameters, chain

Samples = NDArray[np.float32]

SAMPLE_RATE_HZ = 16_000
# Each invented voice: semitones up or down, and its tempo.
VOICES = {
    "ann": (3.0, 1.08),
    "ben": (-3.0, 0.94),
    "cleo": (5.0, 1.0),
    "dan": (-1.5, 1.1),
    "eve": (1.5, 0.9),
    "finn": (-4.5, 1.0),
}


def samples_folder() -> Path:
    """The synthetic clips of the repository that vocemo runs from.

    Raises UsageError where vocemo was installed without its repository.
    """
    folder = Path(vocemo.__file__).resolve().parents[2] / "samples"
    if not any(folder.glob("synthetic-*.flac")):
        raise UsageError("the synthetic clips come with vocemo's repository (samples/); this vocemo has none")
    return folder


def practice_corpus(folder: Path, takes: int = 2, samples: Path | None = None) -> str:
    """Make the corpus below a folder, where it is not there yet: FOLDER/emotion/speaker/take.flac.

    takes: clips of each emotion by each of the six voices; each varies a little in pitch, tempo and noise.
    samples: where the synthetic clips are; by default those of the repository.
    returns: what `--corpus` takes, `folder:FOLDER`.

    Raises UsageError where there are no synthetic clips.
    """
    clips = sorted((samples or samples_folder()).glob("synthetic-*.flac"))
    if not clips:
        raise UsageError(f"{samples} has no synthetic clips (synthetic-EMOTION.flac)")
    for number, clip in enumerate(clips):
        emotion = clip.stem.removeprefix("synthetic-")
        said = audio.decode(clip, SAMPLE_RATE_HZ).samples
        for voice, (semitones, tempo) in enumerate(VOICES.values()):
            for take in range(takes):
                path = folder / emotion / list(VOICES)[voice] / f"{emotion}-{take}.flac"
                if not path.is_file():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    rng = np.random.default_rng([number, voice, take])
                    audio.write(path, _spoken(said, semitones, tempo, rng), SAMPLE_RATE_HZ)
    return f"folder:{folder}"


def _spoken(samples: Samples, semitones: float, tempo: float, rng: np.random.Generator) -> Samples:
    """The clip by another voice: its pitch and tempo with a little of chance, and a little noise."""
    shifted = PitchShift(12.0).apply(
        samples, SAMPLE_RATE_HZ, PitchShiftParameters(semitones + rng.uniform(-0.5, 0.5))
    )
    rate = SpeedParameters(tempo * rng.uniform(0.97, 1.03))
    paced = Speed().apply(shifted, SAMPLE_RATE_HZ, rate)
    noisy = chain([{"name": "noise", "min_snr_db": 45.0, "max_snr_db": 55.0}])
    return noisy(paced, SAMPLE_RATE_HZ, rng)
