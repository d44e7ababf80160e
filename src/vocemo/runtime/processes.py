"""Many recordings over several processes, each with the model opened for itself.

Threads share one interpreter, and what is Python's own part of an answer is a third of it; processes share
nothing. They are begun afresh (`spawn`), on every system alike: a fork would copy the threads of ONNX Runtime
as they stand, locks and all.
"""

from __future__ import annotations

import itertools
import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from vocemo.bundle.bundle import reopened
from vocemo.errors import VocemoError
from vocemo.runtime.batches import growing_groups
from vocemo.runtime.prediction import Failure, Prediction
from vocemo.runtime.source import Source, name_of, rereadable
from vocemo.runtime.timeline_options import TimelineOptions

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

    from vocemo.runtime.predictor import Predictor

AHEAD = 2  # groups that wait for each process, so that none stands still
MOST_BYTES = 16 * 2**20  # of the files of a group: who stops the work waits for no more than that
Answers = list[Prediction | Failure]

_predictor: Predictor | None = None  # a worker's own,
_not_begun: Exception | None = None  # or why it has none,
_stopped: Event | None = None  # and whether its answers are wanted no more


def over_processes(
    predictor: Predictor,
    sources: Iterable[Source],
    sample_rate: int | None,
    timeline: bool | TimelineOptions,
    processes: int,
) -> Iterator[Prediction | Failure]:
    """As `Predictor.predict_many`, by so many processes.

    Raises BundleError where the model's file has changed since it was opened, and VocemoError where a process
    dies, as it does where memory runs out.
    """
    begun = deque[Future[Answers]]()
    bundle = predictor.bundle
    context = multiprocessing.get_context("spawn")
    stopped = context.Event()
    initial = (bundle.path.resolve(), bundle.device, bundle.sha256, predictor.threshold, stopped)
    pool = ProcessPoolExecutor(processes, context, _open, initial)
    try:
        for group in _by_size(growing_groups(map(rereadable, sources))):
            with _children_deaf():  # a process is begun when there is something for it to do
                begun.append(pool.submit(_answers, group, sample_rate, timeline))
            if len(begun) > processes * (1 + AHEAD):
                yield from begun.popleft().result()
        while begun:
            yield from begun.popleft().result()
    except BrokenProcessPool as error:
        raise VocemoError(
            "a process that answered recordings has died, as where memory runs out; fewer processes need less"
        ) from error
    finally:
        stopped.set()  # what is still under way is wanted no more: all that was asked for has been given
        pool.shutdown(cancel_futures=True)


def possible() -> bool:
    """Whether processes can be told anything here: some sandboxes have no semaphores."""
    try:
        multiprocessing.get_context("spawn").Event()
    except (ImportError, OSError):
        return False
    return True


@contextmanager
def _children_deaf() -> Iterator[None]:
    """Processes that are begun in here hear no Ctrl-C, and this one hears it afterwards.

    It reaches every process of a terminal, also one that still imports what would catch it; and it must not
    break off here what a process that is being born still waits for.
    """
    noted: list[tuple[int, FrameType | None]] = []
    alone = threading.current_thread() is threading.main_thread()  # which alone may ask for signals
    handler = signal.getsignal(signal.SIGINT)
    masked = hasattr(signal, "pthread_sigmask")
    if alone and callable(handler):
        signal.signal(signal.SIGINT, lambda number, frame: noted.append((number, frame)))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masked else set()
    try:
        yield
    finally:
        if masked:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if alone and callable(handler):
            signal.signal(signal.SIGINT, handler)
            if noted:
                handler(*noted[0])


def _open(path: Path, device: str, sha256: str, threshold: float | None, stopped: Event) -> None:
    """Begin a worker. What it cannot be begun for it says when it is asked: an error in here would be told as
    a death.
    """
    from vocemo.runtime.predictor import Predictor

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where a child cannot be born deaf
    global _predictor, _not_begun, _stopped
    _stopped = stopped
    try:
        _predictor = Predictor(reopened(path, device, 1, sha256), threshold=threshold)
    except Exception as error:
        _not_begun = error


def _answers(group: list[Source], sample_rate: int | None, timeline: bool | TimelineOptions) -> Answers:
    if _not_begun is not None:
        raise _not_begun
    assert _predictor is not None and _stopped is not None  # `_open` was here before
    answers = _predictor.predict_many(group, sample_rate, jobs=1, timeline=timeline)
    return list(itertools.takewhile(lambda _: not _stopped.is_set(), answers))


def _by_size(groups: Iterable[list[Source]]) -> Iterator[list[Source]]:
    """Groups, divided where their files are large."""
    for group in groups:
        sizes = itertools.accumulate(map(_bytes, group))
        shares = [size // MOST_BYTES for size in sizes]
        for _, part in itertools.groupby(zip(shares, group, strict=True), key=lambda each: each[0]):
            yield [source for _, source in part]


def _bytes(source: Source) -> int:
    """How large a file is; 0 where it is none: whoever opens it says why."""
    path = name_of(source)
    try:
        return 0 if path is None else Path(path).stat().st_size
    except OSError:
        return 0
