"""How many copies the leak audit finds by sound, of each kind, and how often it accuses what is none.

python scripts/measure_copies.py CORPORA [--clips N] [--skip-folds]

CORPORA holds ravdess, emodb and aesdd. False alarms: each fold of the speaker-independent protocols as it is.
Copies: of N clips of each corpus a copy of each kind joins the training of their own fold, under a name and a
speaker that tell nothing. Prints the tables of docs/protocols.md.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile
import soxr
from numpy.typing import NDArray

from vocemo import audio
from vocemo.lab import augment
from vocemo.lab.corpora import Clip, Manifest, read
from vocemo.lab.splits import folds
from vocemo.lab.splits.likeness import sounding_alike

Samples = NDArray[np.float32]
Copy = Callable[[Samples, int, np.random.Generator], Samples]

PROTOCOLS = {
    "ravdess": ("emobox-6", "luna-5", "loso", "speakers-70-20-10"),
    "emodb": ("loso", "speakers-70-20-10"),
    "aesdd": ("loso",),
    "all three": ("cross-corpus", "emobox-6"),
}


def by(*transforms: dict[str, object]) -> Copy:
    """A copy by vocemo's own augmentation."""
    return augment.chain(list(transforms))


def pitched(semitones: float) -> Copy:
    """A copy at another pitch (the library inside vocemo's augmentation)."""
    return lambda x, rate, rng: augment.PitchShift(12.0).apply(
        x, rate, augment.PitchShiftParameters(semitones)
    )


def stretched(tempo: float) -> Copy:
    """A copy at another tempo."""
    return lambda x, rate, rng: augment.Speed().apply(x, rate, augment.SpeedParameters(tempo))


def faster(factor: float) -> Copy:
    """A copy played faster: tempo and pitch together."""
    return lambda x, rate, rng: np.asarray(soxr.resample(x, rate, rate / factor), np.float32)


def mp3(x: Samples, rate: int, rng: np.random.Generator) -> Samples:
    """A copy that was an MP3 in between."""
    file = io.BytesIO()
    soundfile.write(file, x, rate, format="MP3")
    file.seek(0)
    return np.asarray(soundfile.read(file, dtype="float32")[0])


def telephone(x: Samples, rate: int, rng: np.random.Generator) -> Samples:
    """300 to 3,400 Hz, at 8 kHz."""
    low = soxr.resample(x, rate, 8_000)
    band = scipy.signal.butter(4, [300, 3_400], "band", fs=8_000, output="sos")
    return np.asarray(soxr.resample(scipy.signal.sosfilt(band, low), 8_000, rate), np.float32)


def room(x: Samples, rate: int, rng: np.random.Generator) -> Samples:
    """Noise that dies away by 60 dB in 0.4 s, behind the direct sound."""
    count = round(0.4 * rate)
    response = rng.standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    response[0] = 4.0
    return np.asarray(scipy.signal.fftconvolve(x, response), np.float32)


def of_librosa(name: str, **options: float) -> Copy:
    """A copy by librosa's phase vocoder, as most published augmentation makes it."""
    import librosa

    effect = getattr(librosa.effects, name)
    if name == "pitch_shift":
        return lambda x, rate, rng: np.asarray(effect(x, sr=rate, **options), np.float32)
    return lambda x, rate, rng: np.asarray(effect(x, **options), np.float32)


def kinds() -> dict[str, Copy]:
    """What is done to a copy."""
    return {
        "FLAC at 11,025 Hz, 12 dB softer": lambda x, rate, rng: np.asarray(
            soxr.resample(soxr.resample(0.25 * x, rate, 11_025), 11_025, rate), np.float32
        ),
        "MP3": mp3,
        "telephone band": telephone,
        "noise at 20 dB": by({"name": "noise", "min_snr_db": 20.0, "max_snr_db": 20.0}),
        "noise at 10 dB": by({"name": "noise", "min_snr_db": 10.0, "max_snr_db": 10.0}),
        "noise at 5 dB": by({"name": "noise", "min_snr_db": 5.0, "max_snr_db": 5.0}),
        "up to 0.3 s earlier or later": by({"name": "time-shift"}),
        "its middle 60 % alone": lambda x, rate, rng: x[len(x) // 5 : len(x) * 4 // 5],
        "a room of 0.4 s": room,
        "pitch 2 semitones down": pitched(-2.0),
        "pitch 4 semitones up": pitched(4.0),
        "tempo 0.8": stretched(0.8),
        "tempo 1.25": stretched(1.25),
        "played 10 % faster": faster(1.1),
        "librosa: tempo 0.8": of_librosa("time_stretch", rate=0.8),
        "librosa: pitch 0.7 semitones up": of_librosa("pitch_shift", n_steps=0.7),
        "pitch, tempo, shift and noise at once": by(
            {"name": "pitch-shift", "semitones": 2.0},
            {"name": "speed", "min_rate": 0.85, "max_rate": 1.15},
            {"name": "time-shift"},
            {"name": "noise", "min_snr_db": 15.0, "max_snr_db": 20.0},
        ),
    }


def false_alarms(manifest: Manifest, corpus: str) -> None:
    """Print a line for each protocol."""
    for protocol in PROTOCOLS[corpus]:
        started, pairs, alarms, made = time.process_time(), 0, 0, folds(manifest, protocol)
        for fold in made:
            others = fold.train + fold.validation
            alarms += len(sounding_alike(fold.test, others))
            pairs += len(fold.test) * len(others)
        seconds = time.process_time() - started
        print(
            f"| {corpus} | `{protocol}` | {len(made)} | {pairs:,} | {alarms} | {seconds:.0f} s |", flush=True
        )


def found(manifest: Manifest, corpus: str, count: int, folder: Path) -> dict[str, tuple[int, int, int]]:
    """For each kind of copy: copies, those found, and other pairs that were accused."""
    rng = np.random.default_rng(0)
    fold = folds(manifest, PROTOCOLS[corpus][0])[0]
    tested = [fold.test[i] for i in rng.permutation(len(fold.test))[:count]]
    counts: dict[str, tuple[int, int, int]] = {}
    for kind, copy in kinds().items():
        copies, of = [], {}
        for number, clip in enumerate(tested):
            whole = audio.decode(clip.path)
            path = folder / f"{corpus}-{len(counts)}-{number}.flac"
            audio.write(path, copy(whole.samples, whole.sample_rate, rng), whole.sample_rate)
            copies.append(Clip(path, "table", clip.emotion, f"table/{number % 7}"))
            of[path] = clip.path
        alike = sounding_alike(tested, (*fold.train, *fold.validation, *copies))
        right = sum(of.get(a.other.path) == a.tested.path for a in alike)
        counts[kind] = (len(tested), right, len(alike) - right)
        print(f"  {corpus}: {kind}: {counts[kind]}", flush=True)
    return counts


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--skip-folds", action="store_true")
    given = parser.parse_args()
    names = ("ravdess", "emodb", "aesdd")
    manifests = {name: read(f"{name}:{given.corpora / name}", durations=False) for name in names}
    if not given.skip_folds:
        print("| corpus | protocol | folds | pairs | accused | processor |\n|---|---|---:|---:|---:|---:|")
        for name, manifest in manifests.items():
            false_alarms(manifest, name)
        false_alarms(sum(manifests.values(), Manifest(())), "all three")
    with tempfile.TemporaryDirectory() as folder:
        counts = {name: found(m, name, given.clips, Path(folder)) for name, m in manifests.items()}
    print("| copy | " + " | ".join(counts) + " | others accused |\n|---|" + "---:|" * (len(counts) + 1))
    for kind in kinds():
        row = [counts[name][kind] for name in counts]
        shares = " | ".join(f"{right} of {copies}" for copies, right, _ in row)
        print(f"| {kind} | {shares} | {sum(wrong for *_, wrong in row)} |")


if __name__ == "__main__":
    main()
