"""The command line: finds the verb, imports that verb alone, and turns errors into one line and a status.

Exit 0: all answered; 1: some inputs failed, or the work did; 2: the command itself was wrong; 130: Ctrl-C.
VOCEMO_DEBUG=1 shows the traceback of an error that is otherwise told in a line.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

# Each verb is a module here, with a function of the same name, or `app` where it has verbs of its own.
VERBS: dict[str, str] = {
    "predict": "Recognise the emotion in files, folders or standard input.",
    "listen": "Recognise the emotion of a voice while it speaks, live.",
    "info": "What a model says of itself: licence, training, results.",
    "doctor": "What is installed and works, and what brings the rest.",
    "corpora": "List, describe, fetch and check corpora.",
    "explore": "Look into a corpus: clips, levels, pitch, what stands out.",
    "recipes": "List and show recipes.",
    "train": "Train a model by a recipe.",
    "crossval": "Train and measure over all folds and seeds of a protocol.",
    "matrix": "Train on each corpus, test on each, over shared emotions.",
    "tune": "Try settings of a recipe, ranked on validation speakers.",
    "compare": "Lay finished trainings side by side.",
    "evaluate": "Measure a model: accuracy, UAR, F1, confusion matrix.",
    "stress": "Measure a model where recordings are worse: noise, rooms, telephones.",
    "report": "Write the page of a finished measurement again.",
    "export": "Turn a trained run into a one-file bundle.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and give its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    usual_hook, sys.unraisablehook = sys.unraisablehook, _ctrl_c_again
    try:
        return _run(given)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has gone; what is still buffered must not fail again when Python closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if _by_ctrl_c(error):
            return 130
        if os.environ.get("VOCEMO_DEBUG") == "1":
            raise
        return _report(error)
    finally:
        sys.unraisablehook = usual_hook


def _by_ctrl_c(error: BaseException) -> bool:
    """Whether a Ctrl-C is at the bottom of an error: a library that it finds starting up calls it its own."""
    below = error.__cause__ or error.__context__
    return isinstance(error, KeyboardInterrupt) or (below is not None and _by_ctrl_c(below))


def _ctrl_c_again(ignored: sys.UnraisableHookArgs) -> None:
    """Repeat a Ctrl-C that came while a C library was calling back, where no exception can pass.

    Decoders read files by such callbacks: the key would be lost, and the rest of the recording with it.
    """
    if not isinstance(ignored.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(ignored)
        return
    import _thread
    import threading

    threading.Timer(0.001, _thread.interrupt_main).start()


# What the script of --show-completion sets when Tab is pressed: that a shell asks, and the words so far, in
# bash or elsewhere.
ASKED_BY_A_SHELL = "_VOCEMO_COMPLETE"
WORDS_SO_FAR = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")


def _run(given: list[str]) -> int:
    if ASKED_BY_A_SHELL in os.environ:
        words = next((os.environ[name] for name in WORDS_SO_FAR if name in os.environ), "").split()
        return _finish(_overview(whole=words[1] if len(words) > 1 else None), "vocemo", given)
    if given[:1] == ["--version"]:
        from vocemo import __version__

        print(f"vocemo {__version__}")
        return 0
    if given and given[0] in VERBS:
        return _call(given[0], given[1:])
    if given and not given[0].startswith("-"):
        from vocemo.errors import UnknownNameError

        raise UnknownNameError("command", given[0], VERBS)
    return _finish(_overview(), "vocemo", given or ["--help"])


def _call(verb: str, arguments: list[str]) -> int:
    """Import one verb and run it."""
    app = _app(verb)
    # Rich takes longer to import than a short answer takes: it draws help pages and no more.
    app.rich_markup_mode = "rich" if "--help" in arguments else None
    return _finish(app, f"vocemo {verb}", arguments)


def _app(verb: str) -> typer.Typer:
    """Import a verb, one command or several of its own."""
    import typer

    module = importlib.import_module(f"vocemo.cli.{verb}")
    app: typer.Typer = getattr(module, "app", None) or typer.Typer(add_completion=False)
    if not hasattr(module, "app"):
        app.command()(getattr(module, verb))
    return app


def _overview(whole: str | None = None) -> typer.Typer:
    """The list of verbs, from the table above and not from their modules but for one that is wanted whole."""
    import typer

    app = typer.Typer(
        no_args_is_help=True,
        help="Speech emotion recognition that people can train, trust and ship.",
        epilog="vocemo VERB --help tells more. Try: vocemo predict recording.wav",
    )

    def top(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
        """Answer only with help."""

    app.callback(help=app.info.help)(top)
    for verb, summary in VERBS.items():
        if verb != whole:
            app.command(verb, help=summary)(_nothing)
            continue
        own = _app(verb)
        if own.registered_callback or len(own.registered_commands) > 1:
            app.add_typer(own, name=verb, help=summary)
        else:
            app.command(verb)(own.registered_commands[0].callback or _nothing)
    return app


def _nothing() -> None:
    """Stand in the list for a verb that is not imported."""


def _finish(app: object, name: str, arguments: list[str]) -> int:
    """Run an app and give its exit status, whichever way it ends."""
    import typer

    assert isinstance(app, typer.Typer)
    try:
        outcome = typer.main.get_command(app).main(args=arguments, prog_name=name)
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 0 if ending.code is None else 1
    return outcome if isinstance(outcome, int) else 0


def _report(error: Exception) -> int:
    """One line on standard error: what went wrong, and the status that says whose fault it was."""
    from vocemo.errors import UsageError, VocemoError

    reason = " ".join(str(error).split())
    if not isinstance(error, VocemoError | OSError):
        reason = f"unexpected {type(error).__name__}: {reason} (VOCEMO_DEBUG=1 shows where)"
    print(f"vocemo: {reason}", file=sys.stderr)
    return 2 if isinstance(error, UsageError) else 1


if __name__ == "__main__":
    sys.exit(main())
