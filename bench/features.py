"""The stacked vector and the mel spectrogram against librosa, on the same clips, one thread each.

    python bench/features.py [--clips DIR] [--count N] [--batch N] [--repeats N] [--out FILE]

Both take the same 2.5 s excerpts at 22.05 kHz that lie in memory, and must come to the same numbers:
librosa clip by clip, as it is used, vocemo in batches. In each repeat they take turns, and the ratio is taken
within the repeat, so that whatever else the machine does weighs on both; its median counts. Processor time
is measured beside the clock. A second peer, librosa given a whole batch as one array, is there for
comparison, and so is a floor: the Fourier transform of the clips' frames and nothing else, as torch does it.
Clips are the recordings found under DIR; without one they are made here.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import report
import torch

from vocemo import audio
from vocemo.lab.features import MelSpectrogram, StackedVector
from vocemo.lab.features.stacked import FRAMES, N_FFT, OFFSET_S, SAMPLE_RATE_HZ, SAMPLES

# Libraries read these when they are loaded, so the benchmark starts itself anew with them.
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
OUT = Path(__file__).parent.parent / "docs" / "results" / "bench" / "features.json"
GOAL_RATIO = 10.0
TOLERANCE = 1e-3  # of the vector: dB for MFCC, full scale for RMS, rate for ZCR; of the mel: relative


def voice(rng: np.random.Generator) -> np.ndarray:
    """A gliding pitch with thirty partials, syllables and a little noise."""
    time_s = np.arange(SAMPLES) / SAMPLE_RATE_HZ
    phase = 2 * np.pi * np.cumsum(rng.uniform(90, 280) - rng.uniform(0, 30) * time_s) / SAMPLE_RATE_HZ
    partials = np.sum([np.cos(k * phase) / k for k in range(1, 30)], axis=0)
    samples = partials * (0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(3, 6) * time_s))
    samples += 0.002 * rng.standard_normal(SAMPLES)
    return (0.3 * samples / np.abs(samples).max()).astype(np.float32)


def excerpts(folder: Path | None, count: int) -> np.ndarray:
    """(count, samples): from evenly spaced recordings of a folder, or made here."""
    if folder is None:
        rng = np.random.default_rng(0)
        return np.stack([voice(rng) for _ in range(count)])
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".wav", ".flac"))
    clips = np.zeros((min(count, len(paths)), SAMPLES), dtype=np.float32)
    start = round(OFFSET_S * SAMPLE_RATE_HZ)
    for row, index in enumerate(np.linspace(0, len(paths) - 1, len(clips)).astype(int)):
        part = audio.decode(paths[index], SAMPLE_RATE_HZ).samples[start : start + SAMPLES]
        clips[row, : len(part)] = part
    return clips


def librosa_mel(samples: np.ndarray) -> np.ndarray:
    return librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE_HZ)


def librosa_vector(samples: np.ndarray) -> np.ndarray:
    zcr = librosa.feature.zero_crossing_rate(y=samples)[..., 0, :]
    rms = librosa.feature.rms(y=samples)[..., 0, :]
    mfcc = np.swapaxes(librosa.feature.mfcc(y=samples, sr=SAMPLE_RATE_HZ), -1, -2)
    return np.concatenate([zcr, rms, mfcc.reshape(*mfcc.shape[:-2], -1)], axis=-1)


@dataclass(frozen=True)
class Contest:
    what: str
    ours: Callable[[torch.Tensor], torch.Tensor]
    peer: Callable[[np.ndarray], np.ndarray]
    relative: bool


CONTESTS = (
    Contest("stacked vector of 2,376 numbers", StackedVector(), librosa_vector, False),
    Contest("mel spectrogram, 128 bands", MelSpectrogram(SAMPLE_RATE_HZ), librosa_mel, True),
)


def measured(job: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    job()
    return time.perf_counter() - clock, time.process_time() - processor


def spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 2),
        "min": round(min(values), 2),
        "max": round(max(values), 2),
    }


def hold(contest: Contest, clips: np.ndarray, batch: int, repeats: int) -> dict[str, object]:
    tensors = torch.from_numpy(clips).split(batch)
    arrays = [tensor.numpy() for tensor in tensors]

    def ours() -> list[torch.Tensor]:
        return [contest.ours(tensor) for tensor in tensors]

    def peer() -> list[np.ndarray]:
        return [contest.peer(clip) for clip in clips]

    def peer_batched() -> list[np.ndarray]:
        return [contest.peer(array) for array in arrays]

    # As many frames at a time as the features take, so that the transform too works in the cache.
    pair = torch.randn(2 * FRAMES, N_FFT)

    def transform_alone() -> list[torch.Tensor]:
        return [torch.fft.rfft(pair) for _ in range(len(clips) // 2)]

    expected, found = np.stack(peer()), torch.cat(ours()).numpy()
    difference = np.abs(found - expected)
    if contest.relative:  # of each cell, or of one 80 dB under the clip's loudest
        difference = difference / np.maximum(expected, 1e-8 * expected.max(axis=(1, 2), keepdims=True))
    assert difference.max() < TOLERANCE, f"{contest.what}: {difference.max()} from librosa's"
    peer_batched()
    transform_alone()
    turns = [
        (measured(ours), measured(peer), measured(peer_batched), measured(transform_alone))
        for _ in range(repeats)
    ]
    return {
        "what": contest.what,
        "ours_s": round(statistics.median(ours[0] for ours, _, _, _ in turns), 4),
        "librosa_s": round(statistics.median(peer[0] for _, peer, _, _ in turns), 4),
        "ratio": spread([peer[0] / ours[0] for ours, peer, _, _ in turns]),
        "ratio_of_processor_time": spread([peer[1] / ours[1] for ours, peer, _, _ in turns]),
        "ratio_to_librosa_in_batches": spread([batched[0] / ours[0] for ours, _, batched, _ in turns]),
        "transform_alone_s": round(statistics.median(alone[0] for _, _, _, alone in turns), 4),
        "ratio_if_all_but_the_transform_were_free": spread(
            [peer[0] / alone[0] for _, peer, _, alone in turns]
        ),
        "largest_difference": float(f"{difference.max():.1e}"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, help="a folder of recordings; otherwise clips are made")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        sys.exit(subprocess.call([sys.executable, *sys.argv], env={**os.environ, **ONE_THREAD}))
    torch.set_num_threads(1)
    clips = excerpts(options.clips, options.count)
    with torch.inference_mode():
        results = [hold(contest, clips, options.batch, options.repeats) for contest in CONTESTS]
    for result in results:
        ratio, batched = result["ratio"], result["ratio_to_librosa_in_batches"]
        assert isinstance(ratio, dict)
        assert isinstance(batched, dict)
        floor = result["ratio_if_all_but_the_transform_were_free"]
        assert isinstance(floor, dict)
        print(
            f"{result['what']}: {ratio['median']:.1f} times as fast as librosa ({ratio['min']:.1f} to "
            f"{ratio['max']:.1f}; goal {GOAL_RATIO:g}), {result['ours_s']} s against {result['librosa_s']} s "
            f"for {len(clips)} clips; librosa given batches: {batched['median']:.1f}; "
            f"if all but the Fourier transform were free: {floor['median']:.1f}; "
            f"largest difference {result['largest_difference']:.1e}"
        )
    figures = {
        "benchmark": "features",
        "results": results,
        "clips": f"{len(clips)} {'made' if options.clips is None else 'recordings of ' + options.clips.name}",
        "batch": options.batch,
        "repeats": options.repeats,
        "threads": 1,
        "processor": torch.backends.cpu.get_cpu_capability(),
        "versions": {"librosa": librosa.__version__, "numpy": np.__version__, "torch": torch.__version__},
    }
    report.write(options.out, figures)


if __name__ == "__main__":
    main()
