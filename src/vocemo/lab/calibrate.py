r"""Temperature scaling: one number that makes probabilities as sure as they should be.

With logits $z_n$ and targets $y_n$ of validation clips, the temperature is
$$T = \arg\min_{T} -\frac{1}{N}\sum_n \ln \mathrm{softmax}(z_n / T)_{y_n}.$$
In the inverse temperature $\beta = 1/T$ this loss is convex, with the derivative
$$\frac{\mathrm{d}L}{\mathrm{d}\beta} =
    \frac{1}{N}\sum_n \Bigl(\sum_k p_{nk}(\beta)\,z_{nk} - z_{n y_n}\Bigr),$$
which never falls; its root is found by bisection. The most probable emotion never changes.

Source: Guo, Pleiss, Sun & Weinberger, ICML 2017 (arXiv:1706.04599).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vocemo.errors import UsageError

# Few validation clips that are all answered right (or all wrong) would ask for 0 (or infinity).
LOWEST, HIGHEST = 0.05, 20.0
_HALVINGS = 60  # of the bracket in ln(T), which is 6 wide: to the spacing of float64


def fit_temperature(logits: ArrayLike, targets: ArrayLike) -> float:
    """The temperature that minimises the log loss; logits are divided by it before the softmax.

    Args:
        logits: (n, k), of clips that were not trained on, and are no test clips.
        targets: (n,) integers from 0 to k - 1.

    Returns:
        From 0.05 to 20; an end of that range where the loss falls all the way to it. 1 where no
        temperature changes the loss (each clip's logits are level).

    Raises:
        UsageError: no clips, shapes that do not fit, logits that are not finite.

    >>> round(fit_temperature([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0], [2.0, 0.0]], [0, 0, 0, 1]), 3)
    1.82
    """
    scores, wanted = _checked(logits, targets)
    if not np.ptp(scores, axis=1).any():
        return 1.0
    low, high = math.log(1 / HIGHEST), math.log(1 / LOWEST)
    if _slope(scores, wanted, math.exp(low)) >= 0:
        return HIGHEST
    if _slope(scores, wanted, math.exp(high)) <= 0:
        return LOWEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _slope(scores, wanted, math.exp(middle)) < 0:
            low = middle
        else:
            high = middle
    return math.exp(-(low + high) / 2)


def _slope(logits: NDArray[np.float64], targets: NDArray[np.int64], inverse: float) -> float:
    """The derivative of the loss by the inverse temperature, apart from the factor 1/n."""
    scaled = inverse * logits
    weights = np.exp(scaled - scaled.max(1, keepdims=True))
    expected = (weights * logits).sum(1) / weights.sum(1)
    return float((expected - logits[np.arange(len(targets)), targets]).sum())


def _checked(logits: ArrayLike, targets: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits, each row's greatest 0, and targets, once they fit."""
    scores, wanted = np.asarray(logits, np.float64), np.asarray(targets)
    if scores.ndim != 2 or wanted.shape != scores.shape[:1] or scores.size == 0:
        raise UsageError(
            f"logits {scores.shape} and targets {wanted.shape}: "
            "they must be (n, k) and (n,), for n clips, 1 or more, and k classes"
        )
    if not np.isfinite(scores).all():
        raise UsageError("logits hold values that are not finite; each must be a number")
    if not np.issubdtype(wanted.dtype, np.integer) or wanted.min() < 0 or wanted.max() >= scores.shape[1]:
        raise UsageError(f"a target is no class: each must be an integer from 0 to {scores.shape[1] - 1}")
    return scores - scores.max(1, keepdims=True), wanted.astype(np.int64)
