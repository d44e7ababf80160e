"""Speech emotion recognition that people can train, trust and ship.

    import vocemo

    model = vocemo.load()                          # the model inside the package, or a path
    model.predict("call.wav").emotion              # "happy"
    for p in model.predict_many(paths): ...        # batched, in order
    model.timeline("call.wav")                     # which emotion when: segments
    model.stream(sample_rate=48_000).push(chunk)   # events, as a voice goes on
    model.explain("call.wav").strongest()          # the moments that moved it most
    model.predict(vocemo.OneChannel("call.wav", 0))  # one speaker of a call
    vocemo.annotate(frame)                         # a pandas table, answers beside its paths

Names are imported when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vocemo.bundle.bundle import Bundle as Bundle
    from vocemo.bundle.info import BundleInfo as BundleInfo
    from vocemo.errors import AudioError as AudioError
    from vocemo.errors import BundleError as BundleError
    from vocemo.errors import UsageError as UsageError
    from vocemo.errors import VocemoError as VocemoError
    from vocemo.runtime.annotating import annotate as annotate
    from vocemo.runtime.explain_occlusion import Occlusion as Occlusion
    from vocemo.runtime.explanation import Explanation as Explanation
    from vocemo.runtime.prediction import Failure as Failure
    from vocemo.runtime.prediction import Prediction as Prediction
    from vocemo.runtime.prediction import Segment as Segment
    from vocemo.runtime.predictor import Predictor as Predictor
    from vocemo.runtime.predictor import load as load
    from vocemo.runtime.source import OneChannel as OneChannel
    from vocemo.runtime.stream import Event as Event
    from vocemo.runtime.stream import Stream as Stream
    from vocemo.runtime.timeline_options import TimelineOptions as TimelineOptions

__version__ = "0.1.0"

_HOMES = {
    "AudioError": "vocemo.errors",
    "Bundle": "vocemo.bundle.bundle",
    "BundleError": "vocemo.errors",
    "BundleInfo": "vocemo.bundle.info",
    "Event": "vocemo.runtime.stream",
    "Explanation": "vocemo.runtime.explanation",
    "Failure": "vocemo.runtime.prediction",
    "Occlusion": "vocemo.runtime.explain_occlusion",
    "OneChannel": "vocemo.runtime.source",
    "Prediction": "vocemo.runtime.prediction",
    "Predictor": "vocemo.runtime.predictor",
    "Segment": "vocemo.runtime.prediction",
    "Stream": "vocemo.runtime.stream",
    "TimelineOptions": "vocemo.runtime.timeline_options",
    "UsageError": "vocemo.errors",
    "VocemoError": "vocemo.errors",
    "annotate": "vocemo.runtime.annotating",
    "load": "vocemo.runtime.predictor",
}

__all__ = [
    "AudioError",
    "Bundle",
    "BundleError",
    "BundleInfo",
    "Event",
    "Explanation",
    "Failure",
    "Occlusion",
    "OneChannel",
    "Prediction",
    "Predictor",
    "Segment",
    "Stream",
    "TimelineOptions",
    "UsageError",
    "VocemoError",
    "__version__",
    "annotate",
    "load",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'vocemo' has no attribute '{name}'; it has {', '.join(__all__)}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
