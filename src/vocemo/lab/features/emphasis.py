"""Pre-emphasis: high frequencies raised before a spectrum is taken."""

from __future__ import annotations

from torch import Tensor

from vocemo.lab.features.frames import check_samples


def pre_emphasis(samples: Tensor, coefficient: float = 0.97) -> Tensor:
    """Each sample less a share of the one before it; the first, which has none before it, falls away.

    Shape: (batch, samples) -> (batch, samples - 1).
    Raises UsageError for samples of another shape.

    Source: y[t] = x[t] - a x[t - 1], as in Young et al., The HTK Book, section 5.2.

    >>> import torch
    >>> pre_emphasis(torch.tensor([[1.0, 1.0, 3.0]]), coefficient=0.5)
    tensor([[0.5000, 2.5000]])
    """
    check_samples(samples)
    return samples[:, 1:] - coefficient * samples[:, :-1]
