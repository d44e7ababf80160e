"""What train, crossval and tune share: their options, the corpora they read, what they draw."""

from __future__ import annotations

import importlib.resources
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vocemo.errors import MissingExtraError, UnknownNameError, UsageError

if TYPE_CHECKING:
    import torch

    from vocemo.lab.corpora import Manifest
    from vocemo.lab.disk_cache import DiskCache
    from vocemo.lab.initial import Initial
    from vocemo.lab.recipe import Recipe
    from vocemo.lab.run import RunFolder
    from vocemo.lab.splits import Fold
    from vocemo.lab.tensorboard import WriteTensorBoard


def _recipe_names() -> list[str]:
    """What a shell offers: by the files' names, since reading a recipe takes longer than a key should."""
    files = importlib.resources.files("vocemo.lab") / "recipes"
    return sorted(each.name[:-5] for each in files.iterdir() if each.name.endswith(".toml"))


RecipeName = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE",
        help="A recipe's name, or a path that ends in .toml.",
        autocompletion=_recipe_names,
    ),
]
Corpora = Annotated[
    list[str] | None,
    typer.Option(
        "--corpus", metavar="NAME:DIR", help="A corpus and where it lies; may be given several times."
    ),
]
Protocol = Annotated[
    str | None,
    typer.Option(
        "--protocol", metavar="P", help="How clips are divided; without it, the strictest that fits."
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Replace a value of the recipe, such as training.epochs=5."
    ),
]
Init = Annotated[
    str | None,
    typer.Option(
        "--init",
        metavar="RUN|BUNDLE",
        help="Begin with the weights of a run, of a bundle, or of a packaged model: its name, or default.",
    ),
]
Seeds = Annotated[int, typer.Option("--seeds", metavar="N", min=1, help="How many seeds, from 0.")]
DEFAULT_SEEDS = 3
RunsOut = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Where the runs go; by default under runs/.")
]
Device = Annotated[str, typer.Option("--device", metavar="auto|cpu|cuda|mps", help="Where to train.")]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        envvar="VOCEMO_CACHE",
        help="Keep prepared clips and their variants here; the next training reads what this one made.",
    ),
]
CacheGb = Annotated[
    float,
    typer.Option(
        "--cache-gb", metavar="N", min=0.001, help="Gigabytes that the cache may hold; the oldest go."
    ),
]
DEFAULT_CACHE_GB = 20.0
TensorBoard = Annotated[
    Path | None,
    typer.Option("--tensorboard", metavar="DIR", help="Write curves for TensorBoard below this folder too."),
]
Deterministic = Annotated[
    bool,
    typer.Option("--deterministic", help="Use no algorithm whose outcome may differ from run to run."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]


def need_lab(verb: str) -> None:
    """Raise MissingExtraError where what training needs is not installed."""
    for module in ("torch", "audiomentations"):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(f"vocemo {verb}", "lab")


def say(text: str) -> None:
    """A line for people: on standard error, so that standard output holds results alone."""
    print(text, file=sys.stderr, flush=True)


def device_named(name: str) -> torch.device:
    """The device to train on, named as people expect it."""
    from vocemo.lab import device

    chosen = device.choose(name)
    say(f"Using device: {device.describe(chosen)}")
    return chosen


def disk_cache(folder: Path | None, gigabytes: float) -> DiskCache | None:
    """The cache that the command line or VOCEMO_CACHE names, if any. Raises UsageError where it cannot be."""
    from vocemo.lab.disk_cache import DiskCache

    return None if folder is None else DiskCache(folder.expanduser(), round(gigabytes * 1e9))


def load_recipe(name: str, settings: Sequence[str] | None, corpora: Sequence[str] | None) -> Recipe:
    """The recipe as it is for these corpora, with the settings of the command line; checked as a whole."""
    from vocemo.lab import network, recipe_check
    from vocemo.lab import recipe as recipes

    chosen = recipes.load(name, settings or (), [spec.partition(":")[0] for spec in corpora or ()])
    try:
        chosen = network.settled(chosen)
        recipe_check.check(chosen, to_train=True)
    except UnknownNameError as error:
        raise _of_the_one_before(error, settings or ()) or error from None
    return chosen


def load_adapting(
    name: str, settings: Sequence[str] | None, corpora: Sequence[str] | None, init: str
) -> tuple[Recipe, Initial]:
    """The recipe as it adapts what `--init` names, and those weights; checked as a whole."""
    from vocemo.lab import adaptation, initial, recipe_check
    from vocemo.lab import recipe as recipes

    given = list(settings or ())
    chosen = recipes.load(name, given, [spec.partition(":")[0] for spec in corpora or ()])
    weights, chosen = initial.take(init, adaptation.applied(chosen, given), given)
    recipe_check.check(chosen)
    known = [emotion for emotion in chosen.emotions if emotion in weights.info.emotions]
    fresh = [emotion for emotion in chosen.emotions if emotion not in known]
    begins = f"; {', '.join(fresh)} begin{'s' * (len(fresh) == 1)} fresh" if fresh else ""
    knows = ", ".join(known) or "none of these emotions"
    say(f"Begins with {weights.info.name}, which knows {knows}{begins}")
    return chosen, weights


def protocol_adapting(manifest: Manifest, recipe: Recipe) -> str:
    """The protocol of an adaptation for somebody who named none: few clips all train."""
    from vocemo.lab import adaptation

    if not adaptation.too_few(manifest, recipe):
        return strictest_protocol(manifest)
    say(
        f"Protocol: all (fewer than {recipe.adaptation.validate_from} clips: none is held out, so that "
        "nothing is measured; choose another with --protocol)"
    )
    return "all"


def _of_the_one_before(error: UnknownNameError, settings: Sequence[str]) -> UsageError | None:
    """What to say where only the name of a part was set, and the recipe has options for the former one."""
    for part in ("front_end", "model"):
        named = [each.partition("=")[2].strip() for each in settings if each.startswith(f"{part}.name=")]
        given = any(each.startswith(f"{part}.{error.given}") for each in settings)
        if named and not given and error.kind == f"option of {part.replace('_', ' ')} {named[-1]}":
            return UsageError(
                f"{error}. It stands in the recipe for what was there before; to leave such options out, "
                f"replace all of it: --set '{part}={{name=\"{named[-1]}\"}}'"
            )
    return None


def check_protocol(name: str | None, *, tests: bool = False) -> None:
    """Refuse a protocol that does not exist, or with `tests` one that tests nothing, before all else."""
    from vocemo.lab.splits import PROTOCOLS

    if name is not None and tests and not PROTOCOLS[name].holds_out:
        valid = ", ".join(each for each in PROTOCOLS if PROTOCOLS[each].holds_out)
        raise UsageError(f"protocol {name} tests nothing, so it cannot be cross-validated; valid: {valid}")
    if name is not None:
        PROTOCOLS[name]


def copies(protocol: str, recipe: Recipe) -> int:
    """How many copies of a clip the protocol divides beside it: none, but for one that is for comparison."""
    from vocemo.lab.splits import PROTOCOLS

    if not PROTOCOLS[protocol].copies:
        return 0
    if not (recipe.augmentation.pool and recipe.augmentation.pooled):
        raise UsageError(
            f"protocol {protocol} divides augmented copies, and recipe {recipe.name} makes none: it needs "
            "augmentation.pool of 1 or more and augmentation.pooled transforms"
        )
    return recipe.augmentation.pool


def read_labelled(specs: Sequence[str] | None) -> Manifest:
    """The clips of all named corpora; what is left out is told."""
    from vocemo.lab.corpora import Manifest, parse_spec, read

    if not specs:
        raise UsageError(
            "no corpus: name one or more, such as --corpus ravdess:DATA/ravdess (see vocemo corpora list)"
        )
    for spec in specs:
        corpus, place = parse_spec(spec)
        if not place.exists():
            raise UsageError(f"--corpus {spec}: there is nothing at {place}; expected: {corpus.layout}")
    manifest = sum((read(spec) for spec in specs), Manifest(()))
    for refused in manifest.refused:
        say(f"left out: {refused.path}: {refused.reason}")
    return manifest


def read_corpora(specs: Sequence[str] | None, recipe: Recipe) -> Manifest:
    """The clips of all named corpora that the recipe can use, told in a line each."""
    from vocemo.lab import experiment
    from vocemo.lab.report import wording

    selection = experiment.select(read_labelled(specs), recipe)
    for emotion, clips in selection.dropped.items():
        say(f"left out: {clips} clips of '{emotion}', which recipe {recipe.name} has no output for")
    kept = selection.manifest
    voices = wording.speakers(len(kept.speakers) if kept.speakers_known else 0)
    say(f"{wording.many(len(kept), 'clip')}, {voices}, {wording.many(len(kept.emotions), 'emotion')}")
    if slow_epochs(recipe):
        views = recipe.augmentation.views
        say(f"{views} views of each clip are made when it is first seen: the first epoch takes longest")
    return kept


def slow_epochs(recipe: Recipe) -> int:
    """How many epochs at the beginning take longer than the rest: in the first, views are made and kept."""
    return 1 if recipe.augmentation.views else 0


def strictest_protocol(manifest: Manifest) -> str:
    """The protocol for somebody who named none: unseen speakers wherever the corpus knows its speakers."""
    from vocemo.lab.splits.strictest import strictest

    protocol = strictest(manifest)
    say(f"Protocol: {protocol} (choose another with --protocol)")
    return protocol


def check_tensorboard(directory: Path | None) -> None:
    """Refuse what cannot take TensorBoard's files, or a vocemo that cannot write them, before all else."""
    if directory is None:
        return
    from vocemo.lab import tensorboard

    tensorboard.need()
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"--tensorboard {directory} is a file; it takes a folder")


def boards(directory: Path | None, *runs: RunFolder) -> list[WriteTensorBoard]:
    """What writes each run's curves for TensorBoard; nothing where nobody asked for it."""
    if directory is None:
        return []
    from vocemo.lab.tensorboard import WriteTensorBoard

    return [WriteTensorBoard(directory, run) for run in runs]


def draw(folder: RunFolder, fold: Fold) -> None:
    """Draw a run's epochs, and the confusion matrix of its test, into its folder, once."""
    if folder.curves.is_file() and (folder.confusion.is_file() or not fold.test):
        return
    from vocemo.lab.evaluate import Predictions, confusion_matrix
    from vocemo.lab.report import figures

    info, history = folder.info(), folder.history()
    title = f"{info.recipe.name}, fold {info.fold} seed {info.seed}"
    if history:
        curves = figures.training_figure(
            history,
            title=title,
            protocol=info.protocol,
            leaky=fold.leaky,
            best_epoch=folder.outcome().best_epoch,
        )
        figures.save(curves, folder.curves)
    if fold.test:
        test = Predictions.read(folder.predictions)
        counts = confusion_matrix(test.targets, test.predicted, len(test.emotions))
        matrix = figures.confusion_figure(
            counts, test.emotions, title=title, protocol=info.protocol, leaky=fold.leaky
        )
        figures.save(matrix, folder.confusion)


def leak_remark(leaky: bool) -> str:
    """What stands behind a figure whose test speakers were trained on."""
    return " (LEAKY: test speakers were trained on)" if leaky else ""
