r"""How far a clip lies from the clips that a model was trained on.

A clip is summed up in a vector $v$ (`network.summary`): the network's embedding, and of each band of its
front end the mean and the logarithm of the deviation over time. The vectors of each emotion are taken as
normally distributed about a mean of their own, with a covariance that all of them share, and the score is
the distance to the nearest mean:
$$d(v) = \min_k \sqrt{(v - \mu_k)^\top \Sigma^{-1} (v - \mu_k)}$$

The training clips are taken as the network heard them, with the variation and the crops of an epoch: seen
from clean whole clips alone, all speech in noise lies outside. The embedding alone, which has been trained to
tell emotions apart and nothing else, takes hums and rumble for speech in some trainings; the front end's
statistics know their spectrum, and that they do not change.

A number counts no more than `REACH` deviations from a mean. Some of an embedding hardly ever speak, and one
of them that does once lies hundreds of deviations away: without an end to it, one validation clip in a
hundred decides the limit, and noise, in which all numbers are a little odd, lies within.

Source: Lee, Lee, Lee & Shin, NeurIPS 2018 (arXiv:1807.03888), section 2.1, with two layers in one vector and
without changes to the input. Each number is brought to deviation 1, the covariance is shrunk as Ledoit & Wolf
(Journal of Multivariate Analysis 88, 2004) do it, and kept as its leading directions and one variance for all
others (Tipping & Bishop, Journal of the Royal Statistical Society B 61, 1999): a square of the vector's width
would weigh more than many a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vocemo.errors import RunError, UsageError

MOST_DIRECTIONS = 64
LEAST_SCALE = 0.05  # of the root mean square of all deviations: what hardly varies in training counts less
REACH = 8.0  # deviations that a single number counts at most
LIMIT_SHARE = 0.99  # of the validation clips that lie no farther than the limit

Values = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Gaussians:
    """A normal distribution an emotion, all of one shape.

    `means` (k, D); `scales` (D,), by which differences from them are divided; `directions` (D, r),
    orthonormal columns; `precisions` (r,), one over the variance along each; `rest`, one over the variance
    along all other directions, 0 where there are none; `reach`, how many of its scales a number counts at
    most.
    """

    means: Values
    scales: Values
    directions: Values
    precisions: Values
    rest: float
    reach: float = np.inf

    def distance(self, summaries: ArrayLike) -> NDArray[np.float64]:
        """How far each of the vectors (n, D) lies from the nearest mean, in standard deviations: (n,).

        Raises UsageError for vectors of another width.
        """
        given = np.asarray(summaries, np.float64)
        if given.ndim != 2 or given.shape[1] != self.means.shape[1]:
            raise UsageError(f"summaries {given.shape}; they must be (n, {self.means.shape[1]})")
        away = np.clip(
            (given[:, None, :] - self.means) / self.scales.astype(np.float64), -self.reach, self.reach
        )
        along = away @ self.directions.astype(np.float64)
        inside = np.square(along) @ self.precisions.astype(np.float64)
        outside = np.maximum(np.square(away).sum(-1) - np.square(along).sum(-1), 0.0) * self.rest
        return np.asarray(np.sqrt((inside + outside).min(axis=1)))

    def write(self, path: Path) -> None:
        """Write as .npz, whole or not at all."""
        partial = path.with_name(f".{path.name}.partial")
        with partial.open("wb") as file:
            np.savez(
                file,
                means=self.means,
                scales=self.scales,
                directions=self.directions,
                precisions=self.precisions,
                rest=np.float64(self.rest),
                reach=np.float64(self.reach),
            )
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> Gaussians:
        """Read what `write` wrote; no pickle runs. Raises RunError where it cannot be read."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                return cls(
                    kept["means"],
                    kept["scales"],
                    kept["directions"],
                    kept["precisions"],
                    float(kept["rest"]),
                    float(kept["reach"]) if "reach" in kept else np.inf,  # an older vocemo's had no end
                )
        except (OSError, ValueError, KeyError) as error:
            raise RunError(f"{path} cannot be read: {error}") from error


def fit(summaries: ArrayLike, targets: ArrayLike) -> Gaussians:
    """The distributions of training clips.

    Args:
        summaries: (n, D), of clips that the model was trained on.
        targets: (n,) integers, each clip's emotion.

    Raises:
        UsageError: no clips, shapes that do not fit, summaries that are not finite.

    >>> found = fit([[0.0, 1.0], [0.0, -1.0], [9.0, 1.0], [9.0, -1.0]], [0, 0, 1, 1])
    >>> found.means.tolist()
    [[0.0, 0.0], [9.0, 0.0]]
    >>> bool(found.distance([[4.5, 0.0]])[0] > found.distance([[9.0, 1.0]])[0])
    True
    """
    given, wanted = np.asarray(summaries, np.float64), np.asarray(targets)
    if given.ndim != 2 or wanted.shape != given.shape[:1] or given.size == 0:
        raise UsageError(
            f"summaries {given.shape} and targets {wanted.shape}: they must be (n, D) and (n,), n 1 or more"
        )
    if not np.isfinite(given).all():
        raise UsageError("summaries hold values that are not finite; each must be a number")
    kinds, whose = np.unique(wanted, return_inverse=True)
    means = np.stack([given[whose == kind].mean(axis=0) for kind in range(len(kinds))])
    deviations = given.std(axis=0)
    scales = np.maximum(deviations, LEAST_SCALE * np.sqrt(np.square(deviations).mean()))
    scales = np.where(scales > 0, scales, 1.0)
    away = np.clip((given - means[whose]) / scales, -REACH, REACH)
    variances, directions = np.linalg.eigh(shrunk_covariance(away))
    variances, directions = variances[::-1], directions[:, ::-1]
    kept = min(len(variances), MOST_DIRECTIONS)
    rest = 1 / float(variances[kept:].mean()) if kept < len(variances) else 0.0
    return Gaussians(
        means.astype(np.float32),
        scales.astype(np.float32),
        np.ascontiguousarray(directions[:, :kept], np.float32),
        (1 / variances[:kept]).astype(np.float32),
        rest,
        REACH,
    )


def shrunk_covariance(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""The covariance of centred rows (n, D), drawn towards a multiple of the identity by as much as is best.

    $$(1 - \rho) S + \rho\,\frac{\operatorname{tr} S}{D} I$$

    Never singular: where the rows do not vary at all, it is the identity.

    Source: Ledoit & Wolf 2004, equations 11 to 14.

    >>> shrunk_covariance(np.zeros((3, 2))).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    count, width = centred.shape
    sample = centred.T @ centred / count
    scale = float(np.trace(sample)) / width
    if scale <= 0:
        return np.eye(width)
    spread = float(np.square(sample - scale * np.eye(width)).sum())
    # sum over clips of |x x' - S|^2, without a matrix a clip
    error = float((np.square(np.square(centred).sum(axis=1)).sum() / count - np.square(sample).sum()) / count)
    share = 1.0 if spread <= 0 else min(max(error, 0.0), spread) / spread
    # A trace of identity remains where clips say that nothing varies along a direction.
    share = max(share, 1e-6)
    return np.asarray((1 - share) * sample + share * scale * np.eye(width))


@dataclass(frozen=True)
class Distances:
    """How far a run's clips lie from what it was trained on.

    `limit` is what 99 % of its validation clips keep within, None where there are none and no plan.
    """

    median: float  # of the training clips
    limit: float | None

    @property
    def ratio(self) -> float | None:
        """The limit over the median, by which a run without validation finds its limit."""
        return None if self.limit is None else self.limit / self.median


def limit(distances: ArrayLike) -> float:
    """The distance that 99 % of validation clips (n,) keep within.

    >>> round(limit(np.arange(101.0)), 6)
    99.0
    """
    return float(np.quantile(np.asarray(distances, np.float64), LIMIT_SHARE))
