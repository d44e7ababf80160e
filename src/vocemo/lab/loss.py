"""How far answers are from their targets: cross-entropy, of mixed clips too, and over what a corpus tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from vocemo.lab.augment.mixup import Mixture
from vocemo.lab.corpora.clip import Clip


@dataclass(frozen=True)
class Loss:
    """Cross-entropy in nats, the mean over a batch.

    `weights` (emotions,) weigh each clip by its emotion. `label_smoothing` is the share of a target that is
    dealt evenly over the emotions that are compared (Szegedy et al. 2016, section 7).
    """

    label_smoothing: float = 0.0
    weights: Tensor | None = None

    def __call__(
        self,
        logits: Tensor,
        targets: Tensor,
        told: Tensor | None = None,
        mixture: Mixture | None = None,
        clip_weights: Tensor | None = None,
    ) -> Tensor:
        """Logits (batch, emotions) against targets (batch,): ().

        `told` (batch, emotions) bool says among which emotions each clip's corpus tells (`emotions_told`):
        the others are not compared. None compares all.
        `mixture` says how the clips were mixed: their losses are mixed alike, which for cross-entropy is the
        loss against the mixed targets (Zhang et al. 2018).
        `clip_weights` (batch,), above 0, say how much each clip counts beside the others.
        """
        if told is None and mixture is None and clip_weights is None:
            return functional.cross_entropy(
                logits, targets, weight=self.weights, label_smoothing=self.label_smoothing
            )
        losses = self._of_clips(logits, targets, told)
        weights = torch.ones_like(losses) if self.weights is None else self.weights[targets]
        if clip_weights is not None:
            losses, weights = losses * clip_weights, weights * clip_weights
        if mixture is not None:
            partners = torch.from_numpy(mixture.partners).to(targets.device)
            theirs = self._of_clips(logits, targets[partners], None if told is None else told[partners])
            if clip_weights is not None:
                theirs = theirs * clip_weights[partners]
            shares = torch.from_numpy(mixture.shares).to(losses)
            losses = torch.lerp(theirs, losses, shares)
            weights = torch.lerp(weights[partners], weights, shares)
        return losses.sum() / weights.sum()

    def _of_clips(self, logits: Tensor, targets: Tensor, told: Tensor | None) -> Tensor:
        """Each clip's loss, times its weight: (batch,)."""
        if told is None:
            told = torch.ones_like(logits, dtype=torch.bool)
        logarithms = torch.log_softmax(logits.masked_fill(~told, -torch.inf), dim=1).masked_fill(~told, 0.0)
        wanted = functional.one_hot(targets, logits.shape[1]) * (1 - self.label_smoothing)
        wanted = wanted + told * (self.label_smoothing / told.sum(1, keepdim=True))
        weighed = wanted if self.weights is None else wanted * self.weights
        return -(weighed * logarithms).sum(1)


def emotions_told(clips: Sequence[Clip], emotions: Sequence[str]) -> np.ndarray:
    """Among which emotions the clips' corpora tell: (clips, emotions) bool.

    An emotion that nobody was asked to play is not absent from a voice: RAVDESS's singers had no disgust, and
    German actors no calm, so that their neutral clips do not say what calm is not. Speech and song of a
    corpus are told apart. Cour, Sapp & Taskar (2011), "Learning from Partial Labels", treat the general case.
    """
    of: dict[tuple[str, str], set[str]] = {}
    for clip in clips:
        of.setdefault((clip.corpus, clip.channel), set()).add(clip.emotion)
    return np.array([[e in of[clip.corpus, clip.channel] for e in emotions] for clip in clips], bool)
