"""Processes that try cases under limits, and who sees which case a crash, a hang or too much memory is of."""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import resource
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

from fuzzing.cases import Case, case
from fuzzing.originals import Originals
from fuzzing.trials import Outcome

Trier = Callable[[], Callable[[Case], Outcome]]  # made within the process: it may hold what cannot be sent

_TICKS = os.sysconf("SC_CLK_TCK")
_BEGIN_S = 300.0  # in which a process has to have begun
_MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """What a case may cost: memory that a process holds, and that it asks for, in MiB; time, in seconds."""

    memory_mib: int = 1024
    asked_mib: int = 6144
    processor_s: float = 20.0
    clock_s: float = 120.0


@dataclass(frozen=True)
class Report:
    """What came of a case: what was said, the most memory that its process held until then, its time."""

    case: int
    outcome: Outcome
    memory_mib: float
    processor_s: float


@dataclass
class _Worker:
    """A process, and the case that it is at."""

    process: multiprocessing.process.BaseProcess
    link: Connection
    log: Path
    at: int | None = None
    begun: float = field(default_factory=time.monotonic)
    processor_before_s: float = 0.0
    overdue: bool = False


class Pool:
    """Tries cases by number in a few processes; a process that fails is followed by another.

    Args:
        given: what cases begin with.
        seed: of all that is drawn.
        trier: makes, in each process, what cases are put to.
        limits: of each case.
        workers: processes.
    """

    def __init__(
        self, given: Originals, seed: int, trier: Trier, limits: Limits | None = None, workers: int = 1
    ) -> None:
        self._given, self._seed, self._trier = given, seed, trier
        self._limits, self._count = limits or Limits(), workers
        self._folder = Path(tempfile.mkdtemp(prefix="fuzz-"))

    def run(self, cases: Iterable[int]) -> Iterator[Report]:
        """Reports as they come, until there are no more cases."""
        left = iter(cases)
        workers = [self._start() for _ in range(self._count)]
        try:
            while workers:
                for link in wait([each.link for each in workers], timeout=1.0):
                    worker = next(each for each in workers if each.link is link)
                    report, alive = self._heard(worker)
                    if report:
                        yield report
                    if not alive:
                        workers.remove(worker)
                        self._stop(worker)
                        worker = self._start()
                        workers.append(worker)
                    elif not self._give(worker, next(left, None)):
                        workers.remove(worker)
                        self._stop(worker)
                for worker in workers:
                    if self._overdue(worker):
                        worker.overdue = True
                        worker.process.kill()  # its link ends, which is heard above
        finally:
            for worker in workers:
                self._stop(worker)

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        log = Path(tempfile.mkstemp(dir=self._folder)[1])
        arguments = (theirs, self._given, self._seed, self._trier, self._limits, log)
        process = context.Process(target=_work, args=arguments, daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours, log)

    def _give(self, worker: _Worker, index: int | None) -> bool:
        """Send the next case; whether there is one."""
        with contextlib.suppress(OSError):  # a process that has died is heard of at its link
            worker.link.send(index)
        worker.at, worker.begun = index, time.monotonic()
        worker.processor_before_s = _processor_s(worker.process.pid)
        return index is not None

    def _heard(self, worker: _Worker) -> tuple[Report | None, bool]:
        """What a process has to say, None where it has only begun; and whether it goes on."""
        try:
            report: Report | None = worker.link.recv()
        except (EOFError, OSError):
            return self._died(worker), False
        return report, report is None or not report.outcome.of_memory

    def _died(self, worker: _Worker) -> Report:
        """The report on a case that ended its process."""
        worker.process.join(10)
        code, tail = worker.process.exitcode or 0, worker.log.read_text(errors="replace")[-4000:]
        if worker.at is None:
            raise RuntimeError(f"a process could not begin (exit {code}): {tail}")
        took_s = time.monotonic() - worker.begun
        name = signal.Signals(-code).name if code < 0 else f"exit {code}"
        limits = self._limits
        said = (
            f"hang: over {limits.processor_s:g} s of work or {limits.clock_s:g} s"
            if worker.overdue
            else f"signal: {name}"
        )
        return Report(worker.at, Outcome(said, True, tail), 0.0, took_s)

    def _overdue(self, worker: _Worker) -> bool:
        took_s = time.monotonic() - worker.begun
        if worker.at is None:
            return took_s > _BEGIN_S
        worked_s = _processor_s(worker.process.pid) - worker.processor_before_s
        return took_s > self._limits.clock_s or worked_s > self._limits.processor_s

    def _stop(self, worker: _Worker) -> None:
        worker.link.close()
        worker.process.join(2)
        if worker.process.is_alive():
            worker.process.kill()
        worker.log.unlink(missing_ok=True)


def _processor_s(pid: int | None) -> float:
    """Seconds that a process has worked; 0 where the system does not tell of another's."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _work(link: Connection, given: Originals, seed: int, trier: Trier, limits: Limits, log: Path) -> None:
    """Try cases as their numbers come, until None or one that takes too much memory."""
    with log.open("ab") as file:  # what libraries write past Python, and where a crash was
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    attempt = trier()
    resource.setrlimit(resource.RLIMIT_AS, (limits.asked_mib * _MIB, limits.asked_mib * _MIB))
    link.send(None)
    with contextlib.suppress(EOFError, OSError):
        while (index := link.recv()) is not None:
            os.truncate(log, 0)
            begun = time.process_time()
            outcome = attempt(case(given, seed, index))
            memory = _held_mib()
            if memory > limits.memory_mib and not outcome.finding:
                outcome = Outcome(f"memory: {memory:.0f} MiB were held", True)
            link.send(Report(index, outcome, memory, time.process_time() - begun))
            if outcome.of_memory:  # whose traces would be laid to the next
                return


def _held_mib() -> float:
    """The most memory that this process has held."""
    status = Path("/proc/self/status")
    if status.is_file():
        # A process that was started by a large one has that one's peak in its own usage, but not here.
        lines = (line.split() for line in status.read_text().splitlines())
        return next(int(words[1]) for words in lines if words[0] == "VmHWM:") / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 if os.uname().sysname != "Darwin" else _MIB)
