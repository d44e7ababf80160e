"""`vocemo listen`: the emotion of a voice while it speaks, heard by a microphone or played from a file."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from vocemo.audio import probe
from vocemo.audio.channels import check_channel
from vocemo.cli.model_options import Device, ModelFile, Threshold, Top
from vocemo.cli.outputs import check_no_input, writing
from vocemo.cli.render_events import EventRenderer, event_renderer, lateness
from vocemo.cli.render_timeline import segment_line
from vocemo.errors import UsageError, VocemoError
from vocemo.runtime.live import DEAD_S, Listening, LiveSource, Moment, Player
from vocemo.runtime.predictor import Predictor, load
from vocemo.runtime.source import OneChannel
from vocemo.runtime.timeline_options import TimelineOptions


def listen(
    input: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Play a recording, and hear that.", show_default=False)
    ] = None,
    speed: Annotated[
        float, typer.Option(metavar="N", min=0.0, help="Play it so many times as fast; 0: as fast as can be.")
    ] = 1.0,
    microphone: Annotated[
        str | None, typer.Option(metavar="NAME", help="A microphone's number, or a part of its name.")
    ] = None,
    microphones: Annotated[
        bool, typer.Option("--microphones", help="List the microphones of this machine, and end.")
    ] = False,
    channel: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Hear one channel alone, from 0: of a call, one speaker."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(metavar="S", min=0.0, help="End after so many seconds of sound.")
    ] = None,
    model: ModelFile = None,
    hop: Annotated[
        float, typer.Option(metavar="S", help="Seconds from one event to the next.")
    ] = TimelineOptions.hop_s,
    window: Annotated[
        float, typer.Option(metavar="S", help="Seconds that the model hears at once.")
    ] = TimelineOptions.window_s,
    steadiness: Annotated[
        float,
        typer.Option(metavar="NATS", min=0.0, help="What speaks against a change of emotion; 0: nothing."),
    ] = TimelineOptions.change,
    format: Annotated[
        Literal["table", "jsonl", "csv"] | None,
        typer.Option(help="Write events as lines; by default a view on a terminal, else table."),
    ] = None,
    top: Top = None,
    threshold: Threshold = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write events to a file, by default as jsonl."),
    ] = None,
    device: Device = "cpu",
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no view, no summary and no warnings.")] = False,
) -> None:
    """Recognise the emotion of a voice while it speaks.

    On a terminal it draws what is heard now, the level, and what was heard; Ctrl-C ends it and leaves the
    timeline. Nothing is recorded and nothing leaves this machine.

    Examples:

        vocemo listen

        vocemo listen --microphone headset --output session.jsonl

        vocemo listen --input call.wav --speed 4

        vocemo listen --input call.wav --channel 1

        vocemo listen --input call.wav --speed 0 --format csv
    """
    if microphones:
        _list_microphones()
        return
    if input is not None and microphone is not None:
        raise UsageError("--input plays a recording and --microphone hears a room: give one of the two")
    asked = TimelineOptions(window_s=window, hop_s=hop, change=steadiness)
    if input is not None:
        check_no_input(output, [str(input)])
        channels = probe(input).channels  # what cannot be played is said before an output is begun
        if channel is not None:
            check_channel(channel, channels, str(input))
    predictor = load(model, device=device, threshold=threshold, threads=1)
    viewed = format is None and output is None and sys.stdout.isatty() and not quiet
    form = format or ("table" if output is None else "jsonl")
    with _opened(input, speed, channel, microphone, predictor) as source, writing(output) as stream:
        listening = Listening(predictor.stream(source.sample_rate, options=asked), source.sample_rate)
        if viewed:
            showing = _view(listening, f"Listening to {source.name}, model {predictor.info.name}")
        else:
            writer = event_renderer(form, stream, predictor.emotions, top)
            showing = _lines(writer, listening, None if quiet else source.name)
        try:
            with showing as shown, _until_ctrl_c() as interrupted:
                for moment in _moments(source, listening, seconds, interrupted):
                    shown(moment)
        finally:  # a microphone that vanishes takes nothing along
            if viewed:
                width = max(map(len, predictor.emotions))
                for segment in listening.stream.segments:
                    print(segment_line(segment, width))
            if not quiet and listening.stream.time_s:
                print(_summary(listening), file=sys.stderr)
    if interrupted.is_set() and input is not None:  # a room has no end but this
        raise typer.Exit(130)


def _moments(
    source: LiveSource, listening: Listening, seconds: float | None, interrupted: threading.Event
) -> Iterator[Moment]:
    """What is heard until the source, the time or somebody ends it."""
    try:
        for chunk in source.chunks():
            moment = listening.hear(chunk)
            yield moment
            if interrupted.is_set() or (seconds is not None and moment.time_s >= seconds):
                break
    except VocemoError:
        yield listening.finish()
        raise
    yield listening.finish()


@contextlib.contextmanager
def _until_ctrl_c() -> Iterator[threading.Event]:
    """Ctrl-C is a wish that is met between two chunks, so that what was heard is whole; a second one ends."""
    pressed = threading.Event()

    def press(*_: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, press)
    except ValueError:  # not the main thread, which alone gets the key
        yield pressed
        return
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _view(listening: Listening, title: str) -> Iterator[Callable[[Moment], None]]:
    from vocemo.cli.live_view import LiveView

    with LiveView(sys.stdout, listening, title) as view:
        yield lambda moment: view.show(moment, time.monotonic())


@contextlib.contextmanager
def _lines(
    writer: EventRenderer, listening: Listening, name: str | None
) -> Iterator[Callable[[Moment], None]]:
    """Events as lines; in each silence it is said once, with this name, that the microphone may be dead."""
    writer.begin()
    warned = False

    def write(moment: Moment) -> None:
        nonlocal warned
        for event, latency_s in moment.events:
            writer.add(event, latency_s)
        if listening.dead and not warned and name is not None:
            reason = f"nothing but digital silence for {DEAD_S:g} s: is it muted, or not allowed to be heard?"
            print(f"vocemo: {name}: {reason}", file=sys.stderr, flush=True)
        warned = listening.dead

    yield write


def _summary(listening: Listening) -> str:
    """How much was heard, how late events were, and what was lost."""
    late = lateness(listening)
    lost = f", {listening.overruns} overruns ({listening.lost_s:.2f} s lost)" if listening.overruns else ""
    return f"Heard {listening.stream.time_s:.1f} s{late and f', events {late}'}{lost}"


@contextlib.contextmanager
def _opened(
    input: Path | None, speed: float, channel: int | None, microphone: str | None, predictor: Predictor
) -> Iterator[LiveSource]:
    if input is not None:
        heard = input if channel is None else OneChannel(input, channel)
        yield Player(heard, predictor.info.preparation.sample_rate, speed=speed)
        return
    from vocemo.runtime.microphone import Microphone, microphone_named

    with Microphone(microphone_named(microphone), channel=channel) as opened:
        yield opened


def _list_microphones() -> None:
    from vocemo.runtime.microphone import microphones

    found = microphones()
    for each in found:
        usual = ", the default" if each.default else ""
        print(f"{each.index:>3}  {each.name}  ({each.channels} channels, {each.sample_rate} Hz{usual})")
    if not found:
        print("this machine has no microphone", file=sys.stderr)
        raise typer.Exit(1)
