"""Whether a file answers as the network that it was made from does, clip by clip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from vocemo.bundle import DISTANCE, Bundle
from vocemo.errors import BundleError, VocemoError
from vocemo.lab.corpora import Clip, read
from vocemo.lab.mahalanobis import Gaussians
from vocemo.lab.network import Network
from vocemo.lab.waveforms import Waveforms
from vocemo.prepare import Preparation

TOLERANCE = 1e-4  # of a probability, where the weights are stored as they are,
DISTANCE_TOLERANCE = 1e-3  # and of a distance, as a share of it
CLIPS = 24  # recordings that a file is held to
_TONES_S = ([1.0], [0.31, 2.5, 1.37], [3.01, 3.01, 0.7, 5.2, 4.003])

Batch = tuple[NDArray[np.float32], NDArray[np.int64]]  # samples (batch, N), lengths (batch,)


@dataclass(frozen=True)
class Parity:
    """How closely a file answers as its network."""

    difference: float  # the largest of a probability
    agreement: float  # the share of clips with the same most probable emotion
    clips: int
    heard: str  # what the clips are
    distance: float = 0.0  # the largest difference of a distance, as a share of it

    def hold(self, weights: str) -> None:
        """Raise BundleError unless the file may stand for its network.

        Weights that are stored as they are may change no probability by more than TOLERANCE; rounded ones
        may, and what they change is told.
        """
        if not np.isfinite(self.difference + self.distance):
            raise BundleError(
                f"the exported graph differs from the network by {self.difference:.2g} in a probability: "
                "it answers with what is no number"
            )
        if weights == "float32" and self.difference > TOLERANCE:
            raise BundleError(
                f"the exported graph differs from the network by {self.difference:.2g} in a probability; "
                f"at most {TOLERANCE:g} is allowed"
            )
        if weights == "float32" and self.distance > DISTANCE_TOLERANCE:
            raise BundleError(
                f"the exported graph differs from the network by {self.distance:.2g} of a distance; "
                f"at most {DISTANCE_TOLERANCE:g} is allowed"
            )


def compare(
    network: Network,
    bundle: Bundle,
    batches: Iterable[Batch],
    heard: str,
    gaussians: Gaussians | None = None,
) -> Parity:
    """How closely a bundle answers as its network does, and measures the distance from `gaussians`.

    The network hears each batch as it stands; the bundle fills it up to its own length where it has one.
    """
    network = network.eval()
    worst, same, count, farthest = 0.0, 0, 0, 0.0
    for samples, lengths in batches:
        with torch.inference_mode():
            output, summary = network.summed_up(torch.from_numpy(samples), torch.from_numpy(lengths))
            expected = torch.softmax(output.logits / bundle.info.temperature, dim=-1).numpy()
        given = bundle.run(samples, lengths)
        answered = given["probabilities"]
        if gaussians is not None:
            measured = gaussians.distance(summary.numpy())
            farthest = float(np.maximum(farthest, np.abs(given[DISTANCE] / measured - 1).max()))
        worst = float(np.maximum(worst, np.abs(expected - answered).max()))  # unlike max(), keeps NaN
        same += int((expected.argmax(1) == answered.argmax(1)).sum())
        count += len(lengths)
    return Parity(worst, same / max(1, count), count, heard, farthest)


def noisy_tones(preparation: Preparation, longest: int | None = None) -> Iterator[Batch]:
    """Tones in noise, in batches of several sizes and lengths, none of more than `longest` samples."""
    rng = np.random.default_rng(0)
    longest = preparation.length or longest
    for seconds in _TONES_S:
        wanted = np.array([round(s * preparation.sample_rate) for s in seconds], np.int64)
        lengths = wanted if longest is None else np.minimum(wanted, longest)
        samples = np.zeros((len(lengths), preparation.length or lengths.max()), np.float32)
        for row, length in zip(samples, lengths, strict=True):
            t = np.arange(length) / preparation.sample_rate
            tone = np.sin(2 * np.pi * rng.uniform(80, 400) * t) * 0.1
            row[:length] = tone + rng.normal(0, 0.02, length)
        yield samples, lengths


def recordings(specs: Sequence[str], preparation: Preparation, longest: int) -> list[Batch]:
    """Prepared clips from all over some corpora, each alone, none of more than `longest` samples.

    Empty where a corpus is no longer there or to be read. A preparation of fixed length fills its clips
    with zeros up to it.
    """
    waveforms = Waveforms(preparation)
    try:
        clips: list[Clip] = [clip for spec in specs for clip in read(spec, durations=False)]
        places = np.linspace(0, len(clips) - 1, min(CLIPS, len(clips))).round().astype(int)
        heard = [waveforms.clip(clips[place])[:longest] for place in places]
    except (VocemoError, OSError):
        return []
    return [
        (
            np.pad(clip, (0, max(0, (preparation.length or 0) - len(clip))))[None],
            np.array([len(clip)], np.int64),
        )
        for clip in heard
    ]
