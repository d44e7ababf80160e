"""How probable speech is, frame by frame: Silero's voice activity detector.

The graph is silero_vad_16k_sequence.onnx of silero-vad 6.2.3 (Silero Team, 2020, MIT: LICENSE-SILERO beside
it): frames of 32 ms, each heard with the 4 ms before it, through convolutions and an LSTM. It takes any
number of frames at once and the state that the last left, so that a stream and a whole recording give the
same numbers.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnxruntime

GRAPH = Path(__file__).parent / "silero_vad_16k.onnx"
RATE_HZ = 16_000
FRAME = 512  # samples of a frame
FRAME_S = FRAME / RATE_HZ  # 32 ms
_BEFORE = 64  # samples before a frame that it is heard with
_WIDTH = 128  # of the LSTM's state
_MOST_FRAMES = 512  # in one run, 16 s: bounds its memory

Samples = NDArray[np.float32]


class SpeechDetector:
    """The graph, opened once; any number of streams share it, on any threads."""

    def __init__(self) -> None:
        self._session = _session()

    def stream(self) -> SpeechStream:
        """A stream at its beginning."""
        return SpeechStream(self._session)

    def probabilities(self, samples: Samples) -> Samples:
        """How probable speech is in each frame of 32 ms: (N,) at 16 kHz -> (N / 512 rounded up,)."""
        stream = self.stream()
        return np.concatenate([stream.push(samples), stream.finish()])


class SpeechStream:
    """Samples at 16 kHz as they come, and the probability of each whole frame as soon as it is there."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._hidden = np.zeros((1, 1, _WIDTH), np.float32)
        self._cell = np.zeros((1, 1, _WIDTH), np.float32)
        self._held = np.zeros(
            _BEFORE, np.float32
        )  # what the next frame is heard with, and what it has so far

    def push(self, samples: Samples) -> Samples:
        """The probabilities of the frames that are whole by now, (n,), which may be none."""
        held = np.concatenate([self._held, samples.astype(np.float32, copy=False)])
        count = (len(held) - _BEFORE) // FRAME
        self._held = held[count * FRAME :].copy()
        if not count:
            return np.zeros(0, np.float32)
        # One frame at a time is what a microphone brings: a list of views is the least work for one.
        heard = [held[k * FRAME : k * FRAME + _BEFORE + FRAME] for k in range(count)]
        return np.concatenate([self._run(heard[k : k + _MOST_FRAMES]) for k in range(0, count, _MOST_FRAMES)])

    def finish(self) -> Samples:
        """The probability of what is left, silence after it: (1,), or (0,) where nothing is."""
        left = len(self._held) - _BEFORE
        return self.push(np.zeros(FRAME - left, np.float32)) if left else np.zeros(0, np.float32)

    def _run(self, frames: Sequence[Samples]) -> Samples:
        feed = {"input": np.stack(frames), "h": self._hidden, "c": self._cell}
        found, self._hidden, self._cell = self._session.run(["speech_probs", "hn", "cn"], feed)
        return np.asarray(found, np.float32).reshape(-1)


_opening = threading.Lock()


def _session() -> onnxruntime.InferenceSession:
    with _opening:  # one session, whoever asks first
        return _opened()


@cache
def _opened() -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # The recurrence goes frame by frame: a second thread has nothing to do.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors alone
    return onnxruntime.InferenceSession(str(GRAPH), options, providers=["CPUExecutionProvider"])
