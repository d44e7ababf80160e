"""A network's answers for clips, as the exported model would give them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from vocemo.lab.corpora.clip import Clip
from vocemo.lab.dataset import answering_batches, target_of
from vocemo.lab.evaluate import metrics
from vocemo.lab.network import Network
from vocemo.lab.training_state import ValidationScores
from vocemo.lab.waveforms import Waveforms


@dataclass(frozen=True)
class ClipScores:
    """A network's answers for clips; a clip longer than the model's longest window has several rows."""

    targets: NDArray[np.int64]  # (clips,)
    rows: NDArray[np.int64]  # (rows,), each row's clip
    logits: NDArray[np.float64]  # (rows, emotions)
    summaries: NDArray[np.float32] | None = None  # (rows, D), where they were asked for

    @property
    def row_targets(self) -> NDArray[np.int64]:
        """(rows,), each row's target."""
        return self.targets[self.rows]

    def probabilities(self, temperature: float = 1.0) -> NDArray[np.float64]:
        """(clips, emotions): softmax of logits / temperature, averaged over a clip's rows."""
        scaled = self.logits / temperature
        exponentials = np.exp(scaled - scaled.max(1, keepdims=True))
        each = exponentials / exponentials.sum(1, keepdims=True)
        sums = np.zeros((len(self.targets), each.shape[1]))
        np.add.at(sums, self.rows, each)
        return np.asarray(sums / np.bincount(self.rows, minlength=len(sums))[:, None])


def score(
    network: Network,
    clips: Sequence[Clip],
    emotions: Sequence[str],
    waveforms: Waveforms,
    *,
    device: torch.device,
    batch_size: int = 32,
    summaries: bool = False,
) -> ClipScores:
    """Run clips through a network in evaluation mode, as the exported model would hear them.

    summaries: whether to keep each row's vector of `network.summary`.
    """
    rows: list[int] = []
    logits: list[NDArray[np.float64]] = []
    described: list[NDArray[np.float32]] = []
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        for batch in answering_batches(clips, emotions, waveforms, batch_size):
            on_device = batch.to(device)
            if summaries:
                output, summary = network.summed_up(on_device.samples, on_device.lengths)
                described.append(summary.cpu().float().numpy())
            else:
                output = network(on_device.samples, on_device.lengths)
            # To the processor first: Apple's MPS has no float64.
            logits.append(output.logits.cpu().double().numpy())
            rows += batch.rows
    network.train(was_training)
    targets = np.array([target_of(clip, emotions) for clip in clips], np.int64)
    return ClipScores(
        targets,
        np.array(rows, np.int64),
        np.concatenate(logits),
        np.concatenate(described) if summaries else None,
    )


def validation_scores(scores: ClipScores) -> ValidationScores:
    """Plain cross-entropy, accuracy and UAR of answers."""
    found = metrics.score(scores.targets, scores.probabilities())
    return ValidationScores(found.loss, found.accuracy, found.uar)
