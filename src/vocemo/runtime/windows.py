"""Cut a stream of samples into windows that cover all of it, and tell those in which something is heard."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import TooShortAudioError
from vocemo.prepare import Preparation, Prepared, prepare


def cut(chunks: Iterable[NDArray[np.float32]], window: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Windows of `window` samples one after another, each with the sample that it starts at.

    The last window is moved back so that it is as long as the others and ends with the stream: its start
    overlaps its neighbour and no tail is lost. A stream shorter than a window is one short window.

    chunks: (n,) float32 arrays of any lengths. Yields (start, (window,) float32), holding no more than two.

    >>> [(start, w.tolist()) for start, w in cut([np.arange(3.0), np.arange(3.0, 7.0)], window=3)]
    [(0, [0.0, 1.0, 2.0]), (3, [3.0, 4.0, 5.0]), (4, [4.0, 5.0, 6.0])]
    """
    start = 0
    parts: list[NDArray[np.float32]] = []
    held = 0
    for chunk in chunks:
        parts.append(chunk)
        held += len(chunk)
        if held < 2 * window:
            continue
        joined = np.concatenate(parts)
        whole = held // window - 1  # one window stays behind: the last may reach back into it
        for k in range(whole):
            yield start + k * window, joined[k * window : (k + 1) * window]
        start += whole * window
        parts, held = [joined[whole * window :].copy()], held - whole * window
    if not held:
        return
    rest = np.concatenate(parts)
    yield start, rest[:window]
    if held > window:
        yield start + held - window, rest[-window:]


def first(chunks: Iterator[NDArray[np.float32]], beyond: int) -> list[NDArray[np.float32]]:
    """The chunks up to the one with which they are more than `beyond` samples, or all where there is none.

    chunks: (n,) float32 each; those that follow stay in it.

    >>> stream = iter([np.zeros(3), np.zeros(2), np.zeros(4)])
    >>> len(first(stream, beyond=4)), len(next(stream))
    (2, 4)
    """
    taken, held = list[NDArray[np.float32]](), 0
    for chunk in chunks:
        taken.append(chunk)
        held += len(chunk)
        if held > beyond:
            break
    return taken


def audible(samples: NDArray[np.float32], rate: int, preparation: Preparation) -> Prepared | None:
    """A window, (n,) at `rate` in Hz, as a model takes it; None where nothing in it can be answered.

    That is silence, or less than the model needs once silence was trimmed off: for one window among many that
    is no error. Raises what else `prepare` raises.
    """
    try:
        prepared = prepare(samples, rate, preparation)
    except TooShortAudioError:
        return None
    return None if prepared.silent else prepared


def level_db(samples: NDArray[np.float32]) -> float:
    """The root mean square of samples, 20 log10(rms), in dB below full scale; minus infinity for silence.

    >>> round(level_db(np.full(8, 0.1, np.float32)), 3)
    -20.0
    """
    exact = samples.astype(np.float64)
    # Not by BLAS, whose threads would wait for each other on the cores that decode.
    power = float(np.einsum("i,i->", exact, exact)) / len(exact) if len(exact) else 0.0
    return 10.0 * math.log10(power) if power > 0.0 else -math.inf
