"""Answers beside the rows of a table that names recordings: a pandas DataFrame goes in and comes out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vocemo.errors import MissingExtraError, UnknownNameError, UsageError
from vocemo.runtime.prediction import Failure, Prediction
from vocemo.runtime.predictor import Predictor, load

if TYPE_CHECKING:
    import pandas

ANSWER = ("emotion", "confidence", "uncertain", "out_of_domain", "warnings", "error")
PROBABILITY = "p_"  # what stands before an emotion's name in the head of its column


def annotate(
    frame: pandas.DataFrame,
    path: str = "path",
    *,
    model: Predictor | str | os.PathLike[str] | None = None,
    root: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
) -> pandas.DataFrame:
    """A table that names recordings, with what the model hears in each beside it.

    frame: a row a recording; another row may name the same one, which is heard once.
    path: the column that holds the paths, relative ones below `root` where it is given.
    model: a predictor, a path, or the name of a model inside the package; by default the best of those.
    jobs: files that are decoded at once, as for `Predictor.predict_many`.

    Returns a new table with the rows, the index and the columns of `frame`, and behind them `emotion`,
    `confidence`, `uncertain`, `out_of_domain`, `warnings` and a column an emotion, `p_happy` and so on. What
    cannot be answered has its reason in `error` and nothing in the others; a missing path too. In silence
    there is no emotion, and no error.

    Raises MissingExtraError without pandas, UnknownNameError where there is no such column, UsageError where
    the table has columns of these names already or what it is is no table.
    """
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise MissingExtraError("vocemo.annotate", "pandas") from error
    if not isinstance(frame, pandas.DataFrame):
        raise UsageError(f"annotate takes a pandas DataFrame, given {type(frame).__name__}")
    if path not in frame.columns:
        raise UnknownNameError("column", str(path), map(str, frame.columns))
    predictor = model if isinstance(model, Predictor) else load(model)
    heads = [*ANSWER, *(PROBABILITY + emotion for emotion in predictor.emotions)]
    taken = [head for head in heads if head in frame.columns]
    if taken:
        raise UsageError(f"the table has columns {', '.join(taken)} already: drop or rename them")
    below = Path(root or "")
    places = [None if pandas.isna(each) else str(below / each) for each in frame[path]]
    once = list(dict.fromkeys(place for place in places if place is not None))
    told = {
        place: _told(answer)
        for place, answer in zip(once, predictor.predict_many(once, jobs=jobs), strict=True)
    }
    rows = [{"error": "no path"} if place is None else told[place] for place in places]
    beside = pandas.DataFrame(rows, columns=heads)
    # By position: an index may name several rows alike.
    return frame.assign(**{head: beside[head].to_numpy() for head in heads})


def _told(answer: Prediction | Failure) -> dict[str, Any]:
    """The cells of a row."""
    if isinstance(answer, Failure):
        return {"error": str(answer.error)}
    return {
        "emotion": answer.emotion,
        "confidence": answer.confidence,
        "uncertain": answer.uncertain,
        "out_of_domain": answer.out_of_domain,
        "warnings": " | ".join(answer.warnings),
        **{PROBABILITY + emotion: value for emotion, value in answer.probabilities.items()},
    }
