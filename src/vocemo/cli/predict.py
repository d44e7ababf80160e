"""`vocemo predict`: the emotion in files, folders and standard input."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vocemo.cli.answers import answers
from vocemo.cli.held_lines import Kind
from vocemo.cli.inputs import STANDARD_INPUT, expand
from vocemo.cli.model_options import Device, ModelFile, Threshold, Top
from vocemo.cli.outputs import check_no_input, writing
from vocemo.cli.progress import progress
from vocemo.cli.render import columns, renderer
from vocemo.cli.render_timeline import TIMELINES
from vocemo.cli.renderer import Renderer
from vocemo.cli.resuming import NOTHING, held_by, resumable
from vocemo.errors import UsageError
from vocemo.runtime.prediction import Failure, Prediction
from vocemo.runtime.predictor import load

if TYPE_CHECKING:
    from vocemo.cli.explaining import Explaining

_MOST_DRAWN = 16  # speakers whose timelines stand one above the other


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
    by_channel: Annotated[
        bool,
        typer.Option(
            "--by-channel",
            help="Take each channel of a recording as a speaker of its own, as calls are recorded. "
            "They are counted from 0.",
        ),
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
        int | None,
        typer.Option(
            metavar="N", min=1, help="Files that are answered at once; by default one a core, up to four."
        ),
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
    with another model, --top, --timeline or --by-channel it refuses; another --threshold, or a model that was
    exchanged for one of the same name, it cannot see.

    Examples:

        vocemo predict recording.wav

        vocemo predict calls/ --format jsonl --output answers.jsonl --resume

        vocemo predict interview.wav --timeline --plot interview.png

        vocemo predict film.wav --format srt --output film.srt

        vocemo predict call.wav --timeline --by-channel

        vocemo predict recording.wav --explain why.png --explain-emotion sad

        ffmpeg -i film.mkv -f wav - | vocemo predict -
    """
    inputs = expand(paths)
    timeline = timeline or format in TIMELINES
    if format in TIMELINES and len(inputs) > 1:
        raise UsageError(f"--format {format} holds one recording, given {len(inputs)}")
    if timeline and explain is not None:
        raise UsageError("--explain explains one answer, not a timeline: give one of the two")
    if by_channel and explain is not None:
        raise UsageError("--explain explains one answer a recording, not one a channel: drop --by-channel")
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
    answered: list[tuple[Prediction, str]] = []  # with its speaker
    failed = skipped = 0
    held = NOTHING
    if resumed is not None:
        kind = Kind.of(predictor, top=top, timeline=timeline, by_channel=by_channel)
        heads = columns(predictor.emotions, hashed=True, by_channel=by_channel)
        held = held_by(resumed, format, kind, heads)
    with writing(output, append=resume) as stream:
        writer = renderer(
            format,
            stream,
            device=predictor.device,
            emotions=predictor.emotions,
            several=len(inputs) > 1 or by_channel,
            top=top,
            timeline=timeline,
            hashed=held.hashed,
            by_channel=by_channel,
        )
        # A bar and a table on the same terminal would write over one another.
        hidden = quiet or len(inputs) < 2 or (stream.isatty() and sys.stderr.isatty())
        if not held.begun:
            writer.begin()
        with _closing(writer), progress("Predicting", len(inputs), "files", quiet=hidden) as bar:
            for told in answers(
                predictor, inputs, piped, jobs, timeline=timeline, held=held, by_channel=by_channel
            ):
                answer = told.answer
                if answer is None:
                    skipped += 1
                elif isinstance(answer, Failure):
                    failed += 1
                    print(f"vocemo: {answer}", file=sys.stderr, flush=True)
                else:
                    if explaining is not None:
                        source = piped if answer.path == STANDARD_INPUT else str(answer.path)
                        answer = explaining.explain(predictor, answer, source)
                    writer.add(dataclasses.replace(answer, warnings=()) if quiet else answer, told.speaker)
                    for warning in answer.warnings if format in TIMELINES and not quiet else ():
                        # Subtitles and labels have no place for it.
                        who = f", {told.speaker}" if told.speaker else ""
                        print(f"vocemo: {answer.path}{who}: {warning}", file=sys.stderr, flush=True)
                    if plot is not None:
                        answered.append((answer, told.speaker))
                if told.last:
                    bar.advance(note=f"{skipped} held already" if skipped else None)
    if plot is not None and answered:
        alone = len(inputs) == 1
        _draw(answered, predictor.emotions, piped, plot, timeline=timeline, one_recording=alone)
    if failed:
        raise typer.Exit(1)


def _draw(
    answered: Sequence[tuple[Prediction, str]],
    emotions: Sequence[str],
    piped: bytes,
    target: Path,
    *,
    timeline: bool,
    one_recording: bool,
) -> None:
    """Draw answers, each with its speaker."""
    from vocemo.runtime.plot import draw, save

    predictions = [prediction for prediction, _ in answered]
    speakers = [speaker for _, speaker in answered]
    path = predictions[0].path
    recording = piped if path == STANDARD_INPUT else path
    if timeline and (len(answered) == 1 or (one_recording and len(answered) <= _MOST_DRAWN)):
        from vocemo.runtime.timeline_plot import draw_speakers

        figure = draw_speakers(predictions, speakers, emotions=emotions, recording=recording)
    else:
        figure = draw(predictions, emotions=emotions, recording=recording, speakers=speakers)
    save(figure, target)


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


def _standard_input() -> bytes:
    if sys.stdin.isatty():
        raise UsageError("- reads a recording from standard input, which is a terminal: pipe one into it")
    return sys.stdin.buffer.read()
