"""vocemo in scikit-learn: recordings in, emotions or vectors out, inside any pipeline.

    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from vocemo.lab.estimator import EmotionClassifier, VoiceEmbedding

    EmotionClassifier().predict(paths)                               # the packaged model's own emotions
    make_pipeline(VoiceEmbedding(), LogisticRegression()).fit(paths, moods)      # emotions of your own

Neither holds a model, so that both are cloned, copied to other processes and pickled as their options are; a
process opens each model once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

from vocemo.errors import UsageError
from vocemo.runtime.prediction import Failure
from vocemo.runtime.predictor import Predictor, load
from vocemo.runtime.source import Source

_Model = str | os.PathLike[str] | None


class EmotionClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A trained model as a classifier of recordings: paths, bytes or open files, (n,).

    Args:
        model: a bundle; None: the model inside the package.
        jobs: threads that decode; None: one a usable core, up to four.

    `classes_` are its emotions, sorted, as scikit-learn's scores take them to be. `fit` learns nothing: the
    model is trained.
    """

    def __init__(self, model: _Model = None, jobs: int | None = None) -> None:
        self.model, self.jobs = model, jobs

    @property
    def classes_(self) -> NDArray[np.str_]:
        """The emotions that the model tells apart, (emotions,)."""
        return np.array(sorted(_opened(self.model).emotions))

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, sources: Iterable[Source], targets: object = None) -> Self:
        """Nothing: the model is trained already."""
        return self

    def predict_proba(self, sources: Iterable[Source]) -> NDArray[np.float64]:
        """The probabilities of each recording, (n, emotions) as `classes_`; zeros in silence.

        Raises what kept the first recording that cannot be answered from being so.
        """
        predictor, emotions = _opened(self.model), self.classes_
        rows = []
        for answer in predictor.predict_many(sources, jobs=self.jobs):
            if isinstance(answer, Failure):
                raise answer.error
            rows.append([answer.probabilities.get(emotion, 0.0) for emotion in emotions])
        return np.array(rows, np.float64).reshape(len(rows), len(emotions))

    def predict(self, sources: Iterable[Source]) -> NDArray[np.str_]:
        """The emotion of each recording, (n,); empty in silence. Raises as `predict_proba` does."""
        probabilities = self.predict_proba(sources)
        best = self.classes_[probabilities.argmax(1)]
        return np.where(probabilities.any(1), best, "")


class VoiceEmbedding(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What a model makes of each voice: recordings (n,) -> (n, D), for a classifier of your own.

    Args:
        model: a bundle; None: the model inside the package.
    """

    def __init__(self, model: _Model = None) -> None:
        self.model = model

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, sources: Iterable[Source], targets: object = None) -> Self:
        """Nothing: the model is trained already."""
        return self

    def transform(self, sources: Iterable[Source]) -> NDArray[np.float32]:
        """The embeddings, (n, D).

        Raises as `Predictor.embed` does, and for no recording UsageError: a ValueError, as in scikit-learn.
        """
        predictor = _opened(self.model)
        vectors = [predictor.embed(source) for source in sources]
        if not vectors:
            raise UsageError("found 0 recordings, while a minimum of 1 is required by VoiceEmbedding")
        return np.stack(vectors)


def _opened(model: _Model) -> Predictor:
    return _loaded(None if model is None else os.fspath(model))


@cache
def _loaded(model: str | None) -> Predictor:
    return load(model)
