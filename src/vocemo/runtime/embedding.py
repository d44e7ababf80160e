"""What a model makes of a voice before it names an emotion: one vector a recording."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import AudioError
from vocemo.prepare import Prepared, prepare
from vocemo.runtime.answerer import Answerer
from vocemo.runtime.windows import audible, cut, first


def embed(model: Answerer, name: str, stream: Iterator[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The mean embedding over the windows of a recording, (D,), in memory that does not grow with it.

    Up to the model's longest it is one clip, of which the model hears what `predict` hears.

    stream: its samples at the model's rate, (n,) each. Raises AudioError where nothing is heard.
    """
    total, heard = np.zeros(0), 0
    for prepared in _heard(model, stream):
        lengths = np.array([prepared.length], np.int64)
        vector = model.bundle.run(prepared.samples[None], lengths)["embedding"][0].astype(np.float64)
        total, heard = (total + vector if heard else vector), heard + 1
    if not heard:
        raise AudioError(f"{name} is silent: there is no voice to describe")
    return (total / heard).astype(np.float32)


def _heard(model: Answerer, stream: Iterator[NDArray[np.float32]]) -> Iterator[Prepared]:
    """A recording as one clip, or past the model's longest as windows of the length that it hears at once."""
    preparation = model.info.preparation
    rate = preparation.sample_rate
    longest = round(model.longest_s * rate)
    head = first(stream, beyond=longest)
    if sum(map(len, head)) <= longest:
        prepared = prepare(np.concatenate(head), rate, preparation)
        if not prepared.silent:
            yield prepared
        return
    preparation = dataclasses.replace(preparation, offset_s=0.0)
    for _, window in cut(itertools.chain(head, stream), round(model.window_s * rate)):
        if (each := audible(window, rate, preparation)) is not None:
            yield each
