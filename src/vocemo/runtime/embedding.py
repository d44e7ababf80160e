"""What a model makes of a voice before it names an emotion: one vector a recording."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import AudioError, TooShortAudioError
from vocemo.prepare import prepare
from vocemo.runtime.windows import cut

if TYPE_CHECKING:
    from vocemo.runtime.predictor import Predictor


def embed(predictor: Predictor, name: str, stream: Iterator[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The mean embedding over the windows of a recording, (D,), in memory that does not grow with it.

    stream: its samples at the model's rate, (n,) each. Raises AudioError where nothing is heard.
    """
    preparation = predictor.info.preparation
    rate, total, heard = preparation.sample_rate, np.zeros(0), 0
    for start, window in cut(stream, round(predictor.longest_s * rate)):
        asked = preparation if start == 0 else dataclasses.replace(preparation, offset_s=0.0)
        try:
            prepared = prepare(window, rate, asked)
        except TooShortAudioError:
            if start == 0 and len(window) < round(predictor.longest_s * rate):  # all that there is
                raise
            continue
        if prepared.silent:
            continue
        lengths = np.array([prepared.length], np.int64)
        vector = predictor.bundle.run(prepared.samples[None], lengths)["embedding"][0].astype(np.float64)
        total, heard = (total + vector if heard else vector), heard + 1
    if not heard:
        raise AudioError(f"{name} is silent: there is no voice to describe")
    return (total / heard).astype(np.float32)
