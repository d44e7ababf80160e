r"""Probabilities as they were before a temperature, for reliability before and after it.

Of calibrated probabilities $p_k \propto e^{z_k / T}$, those of the logits themselves are
$$q_k = \frac{e^{z_k}}{\sum_j e^{z_j}} = \frac{p_k^T}{\sum_j p_j^T}.$$
Of a clip that was answered in several windows the mean over windows is turned back, which is near to, and not
exactly, the mean of what the windows had.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vocemo.errors import UsageError
from vocemo.lab.evaluate.predictions import Predictions


def before_temperature(probabilities: ArrayLike, temperature: ArrayLike) -> NDArray[np.float64]:
    """What probabilities were before their logits were divided by a temperature.

    Args:
        probabilities: (n, k), each row adds up to 1.
        temperature: above 0; one number, or (n,), one a row.

    Returns:
        (n, k).

    Raises:
        UsageError: a temperature that is not above 0.

    >>> before_temperature([[0.5, 0.25, 0.25]], 2.0).round(4).tolist()
    [[0.6667, 0.1667, 0.1667]]
    """
    given, powers = np.asarray(probabilities, np.float64), np.asarray(temperature, np.float64)
    if not (powers > 0).all():
        raise UsageError(f"temperature {powers}; it must be above 0")
    raised = np.power(given / given.max(axis=1, keepdims=True), powers.reshape(-1, 1))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def uncalibrated(predictions: Predictions, temperatures: Mapping[tuple[int, int], float]) -> Predictions:
    """The same answers with the probabilities that they had before their runs' temperatures.

    Args:
        predictions: of one run or several, as a run folder's or a cross-validation's file has them.
        temperatures: that of each run by (seed, fold), as result.json has it.

    Raises:
        UsageError: a run without a temperature.
    """
    missing = [run for run in predictions.runs if run not in temperatures]
    if missing:
        raise UsageError(
            f"no temperature of seed {missing[0][0]}, fold {missing[0][1]}: name that of each run"
        )
    runs = zip(predictions.seed.tolist(), predictions.fold.tolist(), strict=True)
    powers = [temperatures[run] for run in runs]
    return dataclasses.replace(
        predictions, probabilities=before_temperature(predictions.probabilities, powers)
    )
