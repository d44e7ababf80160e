"""What writes predictions in one format: it is told of each as soon as it is known, and once of the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TextIO

from vocemo.runtime.prediction import Prediction


class Renderer(ABC):
    """Writes predictions in one format to one stream."""

    def __init__(self, stream: TextIO) -> None:
        """Write to the stream."""
        self._stream = stream

    def begin(self) -> None:  # noqa: B027  # most formats begin with their first prediction
        """Write what stands before the first prediction."""

    @abstractmethod
    def add(self, prediction: Prediction, speaker: str = "") -> None:
        """Write a prediction, or keep it for the end; `speaker` names the channel that it is of, if one."""

    def end(self) -> None:  # noqa: B027  # most formats end with their last
        """Write what stands after the last."""


def cell(value: object) -> object:
    """A value as a cell of a csv: nothing for None, lower case for truth, as in JSON.

    >>> cell(None), cell(True), cell(0.25), cell("sad")
    ('', 'true', 0.25, 'sad')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value
