"""Epochs a minute of vocemo's training against a plain loop that does the same work, on the same clips.

    python bench/training.py [--recipe NAME]... [--corpus SPEC] [--count N] [--epochs N] [--threads N]
        [--out FILE]

The plain loop is what one writes first: for each clip of each epoch librosa loads it, pitch-shifts and
stretches it as often as the recipe does, and computes the features; the same network learns them in float32;
nothing is kept. Both train without validation and count from the second epoch on. In vocemo's epochs 2 to N
the variants that are kept are still being made, whenever one is drawn for the first time; epochs that find
all of them made are timed apart. The plain loop keeps nothing, so that the faster of two epochs after a
warm-up stands for all.

The peak is that of one large matrix product in the precision that the training has, measured here. The FLOPs
of a training are counted by torch.utils.flop_counter: convolutions and products, forward and backward. Clips
are those of --corpus; without it they are made here, 3 s at 48 kHz.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import librosa
import numpy as np
import report
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from vocemo import audio
from vocemo.lab import device as devices
from vocemo.lab import experiment, network, train
from vocemo.lab import recipe as recipes
from vocemo.lab.corpora import Clip, read
from vocemo.lab.recipe import Recipe
from vocemo.lab.training_clips import training_set
from vocemo.prepare.signal import frame_rms

OUT = Path(__file__).parent.parent / "docs" / "results" / "bench" / "training.json"
RECIPES = ("dual-channel-cnn", "stacked-cnn1d")
GOAL_RATIO = 5.0
MADE_RATE_HZ, MADE_S = 48_000, 3.0
PEAK_SIZE = 3072  # rows and columns of the product that the peak is measured by
PEAK_FOR_S = 2.0
CPU = torch.device("cpu")


def made(folder: Path, count: int, emotions: Sequence[str]) -> list[Clip]:
    """Gliding pitches with thirty partials and syllables, written as WAV."""
    folder.mkdir()
    clips = []
    for number in range(count):
        rng = np.random.default_rng(number)
        time_s = np.arange(int(MADE_S * MADE_RATE_HZ)) / MADE_RATE_HZ
        phase = 2 * np.pi * np.cumsum(rng.uniform(90, 280) - rng.uniform(0, 30) * time_s) / MADE_RATE_HZ
        samples = np.sum([np.cos(k * phase) / k for k in range(1, 30)], axis=0)
        samples *= 0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(3, 6) * time_s)
        samples += 0.002 * rng.standard_normal(len(samples))
        path = folder / f"{number}.wav"
        audio.write(path, (0.3 * samples / np.abs(samples).max()).astype(np.float32), MADE_RATE_HZ)
        clips.append(Clip(path, "table", emotions[number % len(emotions)], f"table/{number % 8}"))
    return clips


def some(spec: str, recipe: Recipe, count: int) -> list[Clip]:
    """Evenly spaced clips of a corpus."""
    clips = experiment.select(read(spec), recipe).manifest.clips
    return [clips[place] for place in np.linspace(0, len(clips) - 1, min(count, len(clips))).astype(int)]


# The plain loop.


def loaded(clip: Clip, recipe: Recipe) -> np.ndarray:
    """A clip as librosa gives it, prepared as the recipe says."""
    asked = recipe.preparation
    samples, rate = librosa.load(
        clip.path, sr=asked.sample_rate, offset=asked.offset_s, duration=asked.length_s
    )
    if asked.noise_reduction == "stationary":
        import noisereduce

        samples = noisereduce.reduce_noise(samples, rate, stationary=True)
    if asked.trim_below_peak_db is not None:
        samples, _ = librosa.effects.trim(samples, top_db=asked.trim_below_peak_db)
    if asked.level == "rms":
        samples = samples * 10 ** (asked.level_db / 20) / max(frame_rms(samples, int(rate)).max(), 1e-6)
    return samples


def varied(samples: np.ndarray, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """The recipe's augmentation by librosa and NumPy, drawn as often as vocemo draws it."""
    rate, pool = recipe.preparation.sample_rate, recipe.augmentation.pool
    pooled = recipe.augmentation.pooled if rng.random() < pool / (pool + 1) else ()
    for table in (*pooled, *recipe.augmentation.live):
        if rng.random() >= table.get("p", 1.0):
            continue
        if table["name"] == "pitch-shift":
            steps = rng.uniform(-table["semitones"], table["semitones"])
            samples = librosa.effects.pitch_shift(samples, sr=rate, n_steps=steps)
        elif table["name"] == "speed":
            factor = rng.uniform(table["min_rate"], table["max_rate"])
            samples = librosa.effects.time_stretch(samples, rate=factor)
        elif table["name"] == "noise":
            power = float(np.mean(np.square(samples)))
            power /= 10 ** (rng.uniform(table["min_snr_db"], table["max_snr_db"]) / 10)
            samples = samples + rng.standard_normal(len(samples)) * np.sqrt(power)
        elif table["name"] == "time-shift":
            shift = rng.uniform(-table["max_shift_s"], table["max_shift_s"])
            samples = np.roll(samples, round(shift * rate))
        else:
            raise SystemExit(f"the plain loop has no {table['name']}")
    longest_s = recipe.training.crop_s or recipe.preparation.length_s
    longest = len(samples) if longest_s is None else round(longest_s * rate)
    if len(samples) > longest:
        start = int(rng.integers(len(samples) - longest + 1))
        samples = samples[start : start + longest]
    return samples.astype(np.float32)


def dual_channel(samples: np.ndarray, recipe: Recipe) -> np.ndarray:
    """MFCC and mel spectrogram in dB: (2, bands, frames)."""
    options = recipe.front_end.options
    rate, bands = recipe.preparation.sample_rate, options["bands"]
    mel = librosa.feature.melspectrogram(
        y=samples, sr=rate, n_fft=options["n_fft"], hop_length=options["hop"], n_mels=bands
    )
    decibels = librosa.power_to_db(mel)
    return np.stack([librosa.feature.mfcc(S=decibels, n_mfcc=bands), decibels])


def stacked(samples: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Zero-crossing rate, RMS and MFCC end to end: (1, 1, 2376)."""
    samples = librosa.util.fix_length(samples, size=recipe.preparation.length or len(samples))
    zcr = librosa.feature.zero_crossing_rate(y=samples)[0]
    rms = librosa.feature.rms(y=samples)[0]
    mfcc = librosa.feature.mfcc(y=samples, sr=recipe.preparation.sample_rate)
    return np.concatenate([zcr, rms, mfcc.T.ravel()])[None, None]


FEATURES: dict[str, Callable[[np.ndarray, Recipe], np.ndarray]] = {
    "mfcc-mel": dual_channel,
    "stacked": stacked,
}


class PlainLoop:
    """Load, vary, compute, learn: nothing is kept from one epoch to the next."""

    def __init__(self, recipe: Recipe, clips: Sequence[Clip]) -> None:
        if recipe.front_end.name not in FEATURES:
            known = ", ".join(FEATURES)
            raise SystemExit(f"the plain loop has no front end {recipe.front_end.name}, but {known}")
        self.recipe, self.clips = recipe, clips
        self.features = FEATURES[recipe.front_end.name]
        self.model = network.build(recipe, seed=0).model.train()
        options = recipe.training
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), options.learning_rate, weight_decay=options.weight_decay
        )
        self.criterion = nn.CrossEntropyLoss(label_smoothing=options.label_smoothing)
        plain = [self.features(loaded(clip, recipe), recipe) for clip in clips[:8]]
        # A stacked vector is standardised number by number, an image band by band.
        axis = None if recipe.front_end.name == "stacked" else -1
        values = np.concatenate(plain) if axis is None else np.concatenate(plain, axis)
        self.mean = values.mean(0 if axis is None else axis, keepdims=True)
        self.deviation = values.std(0 if axis is None else axis, keepdims=True) + 1e-5

    def epoch(self, number: int, clips: Sequence[Clip] | None = None) -> float:
        """One pass; the seconds it took."""
        rng, size = np.random.default_rng(number), self.recipe.training.batch_size
        chosen = clips or self.clips
        began = time.perf_counter()
        order = rng.permutation(len(chosen))
        for first in range(0, len(order), size):
            batch = [chosen[place] for place in order[first : first + size]]
            made_now = [self._made(clip, rng) for clip in batch]
            frames = torch.tensor([each.shape[-1] for each in made_now])
            images = torch.zeros(len(batch), *made_now[0].shape[:-1], int(frames.max()))
            for image, each in zip(images, made_now, strict=True):
                image[..., : each.shape[-1]] = torch.from_numpy(each)
            targets = torch.tensor([self.recipe.emotions.index(clip.emotion) for clip in batch])
            self.optimizer.zero_grad()
            self.criterion(self.model(images, frames).logits, targets).backward()
            if self.recipe.training.gradient_clip is not None:
                nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.training.gradient_clip)
            self.optimizer.step()
        return time.perf_counter() - began

    def _made(self, clip: Clip, rng: np.random.Generator) -> np.ndarray:
        samples = varied(loaded(clip, self.recipe), self.recipe, rng)
        made_now = (self.features(samples, self.recipe) - self.mean) / self.deviation
        return np.nan_to_num(made_now).astype(np.float32)


# vocemo's own.


@dataclass(frozen=True)
class Ours:
    """What vocemo's training took."""

    epochs_s: list[float]
    made_epoch_s: float  # of an epoch that finds every variant made
    steps_s: float  # of the steps of an epoch alone
    flops: int  # of an epoch
    precision: str


def ours(recipe: Recipe, clips: Sequence[Clip]) -> Ours:
    """Train as `vocemo train` does, without validation, and time it."""
    waveforms = experiment.waveforms_for(recipe)
    precision = experiment.precision(recipe, CPU)
    candidate = network.build(recipe, seed=0)
    candidate.half_width = precision == "bfloat16"
    training = training_set(tuple(clips), recipe, waveforms)
    state = train.begin(candidate, recipe.training)
    train.fit(state, training, None, seed=0, device=CPU)
    seconds = [record.seconds for record in state.history]
    for clip in clips:
        for number in range(1, training.pool + 1):
            waveforms.variant(clip, number)
    again = train.begin(candidate, dataclasses.replace(recipe.training, epochs=3))
    train.fit(again, training, None, seed=0, device=CPU)

    criterion = nn.CrossEntropyLoss()
    candidate.train()
    batches = list(training.epoch(0, 1))

    def step(samples: Tensor, lengths: Tensor, targets: Tensor) -> None:
        state.optimizer.zero_grad(set_to_none=True)
        criterion(candidate(samples, lengths).logits, targets).backward()
        state.optimizer.step()

    with FlopCounterMode(display=False) as counter:
        for batch in batches:
            step(batch.samples, batch.lengths, batch.targets)
    took_s = []
    for _ in range(3):
        began = time.perf_counter()
        for batch in batches:
            step(batch.samples, batch.lengths, batch.targets)
        took_s.append(time.perf_counter() - began)
    made_s = min(record.seconds for record in again.history)
    return Ours(seconds, made_s, min(took_s), counter.get_total_flops(), precision)


def peak_flops(precision: str) -> float:
    """FLOP/s of the fastest of several large matrix products."""
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(PEAK_SIZE, PEAK_SIZE, generator=generator).to(kind) for _ in range(2))
    fastest, until = float("inf"), time.perf_counter() + PEAK_FOR_S
    while time.perf_counter() < until:
        began = time.perf_counter()
        left @ right
        fastest = min(fastest, time.perf_counter() - began)
    return 2 * PEAK_SIZE**3 / fastest


def plain_epoch_s(recipe: Recipe, clips: Sequence[Clip]) -> float:
    """Seconds of one whole epoch of the plain loop, after a warm-up: the faster of two."""
    plain = PlainLoop(recipe, clips)
    plain.epoch(0, clips[: recipe.training.batch_size // 4])
    return min(plain.epoch(1), plain.epoch(2))


def compared(recipe: Recipe, clips: Sequence[Clip], plain_s: float, made_here: bool) -> dict[str, object]:
    mine = ours(recipe, clips)
    name, epochs = recipe.name, recipe.training.epochs
    peak = peak_flops(mine.precision)
    later_s = fmean(mine.epochs_s[1:])
    result = {
        "recipe": name,
        "epochs_a_minute": round(60 / later_s, 2),
        "plain_epochs_a_minute": round(60 / plain_s, 3),
        "ratio": round(plain_s / later_s, 2),
        "ratio_once_variants_are_made": round(plain_s / mine.made_epoch_s, 2),
        # The most that this processor allows: convolutions and products at the peak, all else for nothing.
        "ratio_at_peak": round(plain_s / (mine.flops / peak), 2),
        "epochs": epochs,
        "first_epoch_s": round(mine.epochs_s[0], 2),
        "epoch_s": round(later_s, 3),
        "plain_epoch_s": round(plain_s, 2),
        "precision": mine.precision,
        "gflop_an_epoch": round(mine.flops / 1e9, 1),
        "peak_gflop_s": round(peak / 1e9, 1),
        "share_of_peak": round(mine.flops / mine.made_epoch_s / peak, 4),
        "share_of_peak_of_the_steps_alone": round(mine.flops / mine.steps_s / peak, 4),
        "clips": f"{len(clips)} {'made' if made_here else 'of ' + clips[0].corpus}",
    }
    print(
        f"{name}: {60 / later_s:.1f} epochs a minute against {60 / plain_s:.2f} of the plain loop, "
        f"{plain_s / later_s:.1f} times (goal {GOAL_RATIO:g}); {plain_s / mine.made_epoch_s:.1f} times once "
        f"all variants are made, at {result['share_of_peak']:.1%} of the {mine.precision} peak of "
        f"{peak / 1e9:.0f} GFLOP/s, its steps alone at {result['share_of_peak_of_the_steps_alone']:.1%}; "
        f"at the peak itself it would be {result['ratio_at_peak']:.1f} times",
        flush=True,
    )
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", action="append", help=f"by default {', '.join(RECIPES)}")
    parser.add_argument("--corpus", help="clips of a corpus, as --corpus takes it; otherwise clips are made")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument(
        "--epochs", type=int, default=32, help="of vocemo's own training; 32 is what dual-channel-cnn trains"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    limits = [f"training.epochs={options.epochs}", f"training.patience={options.epochs}"]
    chosen = [recipes.load(name, limits) for name in options.recipe or RECIPES]
    with tempfile.TemporaryDirectory() as folder:
        made_here = options.corpus is None
        clips = [
            made(Path(folder, recipe.name), options.count, recipe.emotions)
            if made_here
            else some(options.corpus, recipe, options.count)
            for recipe in chosen
        ]
        # First: vocemo's training sets how the process's memory is kept, and the plain loop would gain by it.
        plain_s = [plain_epoch_s(recipe, own) for recipe, own in zip(chosen, clips, strict=True)]
        results = [
            compared(recipe, own, seconds, made_here)
            for recipe, own, seconds in zip(chosen, clips, plain_s, strict=True)
        ]
    f" --corpus {options.corpus.partition(':')[0]}:..." if options.corpus else ""
    figures = {
        "benchmark": "training",
        "what": "epochs a minute from the second on, against a plain loop: librosa, float32, no cache",
        "results": results,
        "threads": options.threads,
        "processor": torch.backends.cpu.get_cpu_capability(),
        "bfloat16": devices.gains_by_bfloat16(CPU),
        "versions": {"librosa": librosa.__version__, "numpy": np.__version__, "torch": torch.__version__},
    }
    report.write(options.out, figures)


if __name__ == "__main__":
    main()
