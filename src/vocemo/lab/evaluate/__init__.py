"""Measuring a model: metrics, intervals over speakers, predictions and results as files.

What each measure means and where it comes from stands in docs/measuring.md.
"""

from vocemo.lab.evaluate.confidence import Interval, interval_over_speakers
from vocemo.lab.evaluate.groups import Gap, GroupResult
from vocemo.lab.evaluate.metrics import Scores, confusion_matrix, score
from vocemo.lab.evaluate.predictions import Predictions, Subject
from vocemo.lab.evaluate.results import EmotionResult, FoldResult, Metric, Results
from vocemo.lab.evaluate.summary import Summary, fold_result, pooled_metric, summarise

__all__ = [
    "EmotionResult",
    "FoldResult",
    "Gap",
    "GroupResult",
    "Interval",
    "Metric",
    "Predictions",
    "Results",
    "Scores",
    "Subject",
    "Summary",
    "confusion_matrix",
    "fold_result",
    "interval_over_speakers",
    "pooled_metric",
    "score",
    "summarise",
]
