"""`vocemo predict`: the emotion in files, folders and standard input."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vocemo.cli.answering import Device, ModelFile, Threshold, Top
from vocemo.cli.held_lines import Kind
from vocemo.cli.inputs import STANDARD_INPUT, expand
from vocemo.cli.outputs import check_no_input, writing
from vocemo.cli.progress import progress
from vocemo.cli.render import columns, renderer
from vocemo.cli.render_timeline import TIMELINES
from vocemo.cli.renderer import Renderer
from vocemo.cli.resuming import NOTHING, Held, held_by, resumable
from vocemo.errors import UsageError
from vocemo.runtime.prediction import Failure, Prediction
from vocemo.runtime.predictor import Predictor, load
from vocemo.runtime.source import Source

if TYPE_CHECKING:
    from vocemo.cli.explaining import Explaining


def predict(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Files, folders, patterns, or - for standard input."),
    ],
    model: ModelFile = None,
    format: Annotated[
        Literal["table", "json", "jsonl", "csv", "srt", "audacity"],
        typer.Option(help="How answers are written; srt (subtitles) and audacity (labels) are timelines."),
    ] = "table",
    timeline: Annotated[
        bool, typer.Option("--timeline", help="Say which emotion when, and where nobody speaks.")
    ] = False,
    top: Top = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the answers to a picture (png, svg, pdf).")
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw what moved the model; for several recordings a folder or {name}.png."
        ),
    ] = None,
    explain_emotion: Annotated[
        str | None, typer.Option(metavar="NAME", help="Explain this emotion and not the answer.")
    ] = None,
    threshold: Threshold = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write to a file and not to standard output.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Files that are decoded at once.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with --output (jsonl or csv) where it ends: what it holds is not asked again.",
        ),
    ] = False,
    device: Device = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress and no warnings.")] = False,
) -> None:
    """Recognise the emotion in recordings.

    Answers go to standard output. What cannot be answered is named on standard error, everything else is
    answered all the same, and the exit status is 1.

    A long job with --resume may be stopped at any time: the same command goes on. Where its output was begun
    with another model, --top or --timeline it refuses; another --threshold, or a model that was exchanged for
    one of the same name, it cannot see.

    Examples:

        vocemo predict recording.wav

        vocemo predict calls/ --format jsonl --output answers.jsonl --resume

        vocemo predict interview.wav --timeline --plot interview.png

        vocemo predict film.wav --format srt --output film.srt

        vocemo predict recording.wav --explain why.png --explain-emotion sad

        ffmpeg -i film.mkv -f wav - | vocemo predict -
    """
    inputs = expand(paths)
    timeline = timeline or format in TIMELINES
    if format in TIMELINES and len(inputs) > 1:
        raise UsageError(f"--format {format} holds one recording, given {len(inputs)}")
    if timeline and explain is not None:
        raise UsageError("--explain explains one answer, not a timeline: give one of the two")
    resumed = None
    if resume:
        drawn = explain is not None or plot is not None
        resumed = resumable(output, format, inputs, timeline=timeline, drawn=drawn)
    check_no_input(output, [given for given in inputs if isinstance(given, str)])
    if plot is not None:
        from vocemo.runtime.plot import check_target

        check_target(plot)
    explaining = _explaining(explain, explain_emotion, several=len(inputs) > 1)
    predictor = load(model, device=device, threshold=threshold)
    if explaining is not None:
        explaining.check(predictor)
    piped = _standard_input() if STANDARD_INPUT in inputs else b""
    answered: list[Prediction] = []
    failed = skipped = 0
    held = NOTHING
    if resumed is not None:
        kind = Kind.of(predictor, top=top, timeline=timeline)
        held = held_by(resumed, format, kind, columns(predictor.emotions, hashed=True))
    with writing(output, append=resume) as stream:
        writer = renderer(
            format,
            stream,
            device=predictor.device,
            emotions=predictor.emotions,
            several=len(inputs) > 1,
            top=top,
            timeline=timeline,
            hashed=held.hashed,
        )
        # A bar and a table on the same terminal would write over one another.
        hidden = quiet or len(inputs) < 2 or (stream.isatty() and sys.stderr.isatty())
        if not held.begun:
            writer.begin()
        with _closing(writer), progress("Predicting", len(inputs), "files", quiet=hidden) as bar:
            for answer in _answers(predictor, inputs, piped, jobs, timeline=timeline, held=held):
                if answer is None:
                    skipped += 1
                elif isinstance(answer, Failure):
                    failed += 1
                    print(f"vocemo: {answer}", file=sys.stderr, flush=True)
                else:
                    if explaining is not None:
                        source = piped if answer.path == STANDARD_INPUT else str(answer.path)
                        answer = explaining.explain(predictor, answer, source)
                    writer.add(dataclasses.replace(answer, warnings=()) if quiet else answer)
                    for warning in answer.warnings if format in TIMELINES and not quiet else ():
                        # Subtitles and labels have no place for it.
                        print(f"vocemo: {answer.path}: {warning}", file=sys.stderr, flush=True)
                    if plot is not None:
                        answered.append(answer)
                bar.advance(note=f"{skipped} held already" if skipped else None)
    if plot is not None and answered:
        _draw(answered, predictor.emotions, piped, plot, timeline=timeline)
    if failed:
        raise typer.Exit(1)


def _draw(
    answered: Sequence[Prediction], emotions: Sequence[str], piped: bytes, target: Path, *, timeline: bool
) -> None:
    from vocemo.runtime.plot import draw, save

    path = answered[0].path
    recording = piped if path == STANDARD_INPUT else path
    if timeline and len(answered) == 1:
        from vocemo.runtime.timeline_plot import draw_timeline

        save(draw_timeline(answered[0], emotions=emotions, recording=recording), target)
    else:
        save(draw(answered, emotions=emotions, recording=recording), target)


def _explaining(target: Path | None, emotion: str | None, *, several: bool) -> Explaining | None:
    if target is None:
        if emotion is not None:
            raise UsageError(f"--explain-emotion {emotion} goes with --explain FILE, which is not given")
        return None
    from vocemo.cli.explaining import Explaining

    return Explaining(target, several=several, emotion=emotion)


@contextlib.contextmanager
def _closing(writer: Renderer) -> Iterator[None]:
    """However it ends, Ctrl-C included, what was written is whole."""
    try:
        yield
    finally:
        writer.end()


def _answers(
    predictor: Predictor,
    inputs: Sequence[str | Failure],
    piped: bytes,
    jobs: int | None,
    *,
    timeline: bool,
    held: Held,
) -> Iterator[Prediction | Failure | None]:
    """The answer to each input, in order; what stands for no recording is its own answer.

    held: what needs no answer any more, for which there is None.
    """
    recordings = {given for given in inputs if isinstance(given, str)}
    under_way: deque[Failure | tuple[str, str | None] | None] = deque()

    def sources() -> Iterator[Source]:
        """What is to be answered, noting all that stands before it."""
        for given in inputs:
            if isinstance(given, Failure):
                under_way.append(given)
                continue
            sha256 = held.hash_of(given)
            if held.has(given, sha256, recordings):
                under_way.append(None)
                continue
            under_way.append((given, sha256))
            yield piped if given == STANDARD_INPUT else given

    if sum(isinstance(given, str) for given in inputs) == 1:
        jobs = 1  # a pool of threads takes longer to start than it saves
    for answer in predictor.predict_many(sources(), jobs=jobs, timeline=timeline):
        while not isinstance(before := under_way.popleft(), tuple):
            yield before
        given, sha256 = before
        if isinstance(answer, Prediction):
            path = given if given == STANDARD_INPUT else answer.path
            answer = dataclasses.replace(answer, path=path, sha256=sha256)
        elif given == STANDARD_INPUT:
            answer = dataclasses.replace(answer, path=given)
        yield answer
    for last in under_way:
        assert not isinstance(last, tuple)  # each of those was answered
        yield last


def _standard_input() -> bytes:
    if sys.stdin.isatty():
        raise UsageError("- reads a recording from standard input, which is a terminal: pipe one into it")
    return sys.stdin.buffer.read()
