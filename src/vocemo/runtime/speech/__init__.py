"""Where somebody speaks."""

from vocemo.runtime.speech.detector import FRAME_S, SpeechDetector, SpeechStream
from vocemo.runtime.speech.spans import Hysteresis, Span, SpanFinder, spans

__all__ = ["FRAME_S", "Hysteresis", "Span", "SpanFinder", "SpeechDetector", "SpeechStream", "spans"]
