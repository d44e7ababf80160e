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
    def add(self, prediction: Prediction) -> None:
        """Write a prediction, or keep it for the end."""

    def end(self) -> None:  # noqa: B027  # most formats end with their last
        """Write what stands after the last."""
