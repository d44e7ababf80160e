"""Trained weights that a training begins with: those of a finished run, or of a bundle.

Emotions are matched by name: rows of the last layers (`models.heads`) that both know are carried over, the
others begin fresh. All else of front end and model is carried over as it is. The preparation and the front
end are the initial model's, so that it hears what it has learnt to hear.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vocemo.bundle import Bundle, packaged
from vocemo.errors import UsageError, VocemoError
from vocemo.lab import checkpoint, experiment, models, network
from vocemo.lab.corpora import Manifest, read
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.export.run import attribution_of, licence_of, names_of
from vocemo.lab.front_ends import FRONT_ENDS
from vocemo.lab.initial_bundle import network_of
from vocemo.lab.mahalanobis import Gaussians
from vocemo.lab.models import MODELS
from vocemo.lab.network import Network
from vocemo.lab.recipe import Recipe
from vocemo.lab.recipe_options import NamedOptions
from vocemo.lab.registry import Registry, entry_options
from vocemo.lab.run import RunFolder
from vocemo.lab.run_info import InitialInfo, RunInfo
from vocemo.lab.selective import Threshold
from vocemo.lab.settings import typed
from vocemo.lab.splits import PROTOCOLS, Heard, folds
from vocemo.prepare import Preparation


@dataclass(frozen=True, eq=False)
class Initial:
    """Trained weights, and what goes with them.

    `weights` are a network's state dict for `info.emotions`; `temperature`, `thresholds`, `gaussians` and the
    `limit` of their distance are the initial model's. `heard` says what the weights have learnt from; it may
    have to read corpora for that.
    """

    info: InitialInfo
    weights: Mapping[str, Tensor]
    temperature: float
    thresholds: tuple[Threshold, ...]
    gaussians: Gaussians | None
    limit: float | None
    heard: Callable[[], Heard]

    def put_into(self, fresh: Network, emotions: Sequence[str]) -> None:
        """Put the weights into a network for these emotions, as `agreed` made its recipe.

        Raises UsageError where they do not fit.
        """
        named = [f"{layer}.{part}" for layer in fresh.heads for part in ("weight", "bias")]
        own = fresh.state_dict()
        rows = models.carried_over(
            {name: own[name] for name in named}, self.weights, self.info.emotions, emotions
        )
        try:
            fresh.load_state_dict({**self.weights, **rows})
        except RuntimeError as error:
            raise UsageError(f"the weights of {self.info.name} do not fit the recipe: {error}") from error


def take(place: str, recipe: Recipe, settings: Sequence[str] = ()) -> tuple[Initial, Recipe]:
    """The weights of a run's folder or a bundle, and the recipe with that model's preparation and front end.

    Args:
        place: a finished run's folder, an .onnx bundle, or a packaged model's name (`default`: the first).
        recipe: what is to be trained.
        settings: those of the command line; what they set of preparation and front end must agree.

    Raises:
        UsageError: nothing there, or another model or front end; says which keys differ.
        RunError: a run that is not complete. BundleError: no bundle, or one whose weights cannot be taken.
        MissingExtraError: a bundle, where what reads its graph is not installed.
    """
    path = packaged.place(Path(place).expanduser())
    if path.is_dir():
        return _of_run(RunFolder(path), recipe, settings)
    if not path.exists():
        raise UsageError(
            f"--init {place}: there is nothing; valid: a finished run's folder, an .onnx bundle, or of the "
            f"models inside the package {', '.join(packaged.names())} ({packaged.DEFAULT}: the first)"
        )
    return _of_bundle(path, recipe, settings)


def digest(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 of tensors by name, in hexadecimal; the same wherever and however they are kept."""
    found = hashlib.sha256()
    for name in sorted(weights):
        values = weights[name].detach().cpu().contiguous()
        found.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
        found.update(values.numpy().tobytes())
    return found.hexdigest()


def _of_run(folder: RunFolder, recipe: Recipe, settings: Sequence[str]) -> tuple[Initial, Recipe]:
    info, outcome = folder.info(), folder.outcome()
    mine = agreed(recipe, info.recipe, settings)
    trained = network.build(info.recipe, info.seed)
    checkpoint.load_weights(trained, folder.weights, torch.device("cpu"))
    weights = trained.state_dict()
    before = info.initial
    credits = trained.credits()
    voices, unlisted = outcome.trained_on.voices, tuple[str, ...]()
    if not voices:  # a run of an older vocemo: its corpora say whose they are, where they are still there
        clips = _learnt_from(info)
        voices = tuple(sorted({clip.speaker for clip in clips or ()}))
        unlisted = names_of(info.corpora) if clips is None else ()
    whole = InitialInfo(
        name=f"{info.recipe.name}, {info.protocol}, fold {info.fold}, seed {info.seed}",
        sha256=digest(weights),
        emotions=info.recipe.emotions,
        corpora=_each_once(before.corpora if before else (), names_of(info.corpora)),
        clips=outcome.trained_on.clips + (before.clips if before else 0),
        speakers=outcome.trained_on.speakers + (before.speakers if before else 0),
        licence="; ".join(
            _each_once((before.licence,) if before else (), (licence_of(info.corpora, credits),))
        ),
        attribution=_each_once(before.attribution if before else (), attribution_of(info.corpora, credits)),
        voices=_each_once(before.voices if before else (), voices),
        unlisted=_each_once(before.unlisted if before else (), unlisted),
    )
    known = outcome.distances is not None and folder.domain.is_file()
    return (
        Initial(
            whole,
            weights,
            outcome.temperature,
            outcome.thresholds,
            Gaussians.read(folder.domain) if known else None,
            outcome.distances.limit if outcome.distances else None,
            lambda: Heard(_learnt_from(info) or (), frozenset(whole.voices), whole.unlisted),
        ),
        mine,
    )


def _of_bundle(path: Path, recipe: Recipe, settings: Sequence[str]) -> tuple[Initial, Recipe]:
    bundle = Bundle.open(path, device="cpu")
    told = bundle.info
    if told.name != recipe.name and told.training.recipe != recipe.name:
        raise UsageError(f"--init {path.name} is a model of recipe {told.training.recipe}, not {recipe.name}")
    mine = dataclasses.replace(
        recipe, preparation=_preparation(recipe, told.preparation, settings, path.name)
    )
    trained, gaussians = network_of(bundle, dataclasses.replace(mine, emotions=told.emotions))
    weights = trained.state_dict()
    thresholds = tuple[Threshold, ...]()
    if told.threshold is not None and told.threshold_risk is not None:
        thresholds = (Threshold(told.threshold_risk, told.threshold),)
    whole = InitialInfo(
        name=path.name,
        sha256=digest(weights),
        emotions=told.emotions,
        corpora=told.training.corpora,
        clips=told.training.clips,
        speakers=told.training.speakers,
        licence=told.licence,
        attribution=told.attribution,
        unlisted=told.training.corpora,
    )
    return (
        Initial(
            whole,
            weights,
            told.temperature,
            thresholds,
            gaussians,
            told.distance_limit,
            lambda: Heard(unlisted=whole.unlisted),
        ),
        mine,
    )


def agreed(recipe: Recipe, trained: Recipe, settings: Sequence[str] = ()) -> Recipe:
    """The recipe with the preparation and the front end of a trained one, and options of its model.

    What the recipe does not say of the model is as in the trained one; what it says must agree. So must what
    `settings` of the command line say of preparation and front end.

    Raises UsageError with every key that differs.
    """
    differ = list[tuple[str, Any, Any]]()
    parts = dict[str, NamedOptions]()
    for part, registry in (("front_end", FRONT_ENDS), ("model", MODELS)):
        ours, theirs = getattr(recipe, part), getattr(trained, part)
        if ours.name != theirs.name:
            differ.append((f"{part}.name", theirs.name, ours.name))
            continue
        mine, whole = ours.options, _with_defaults(registry, theirs)
        if part == "front_end":
            mine = {key: value for key, value in mine.items() if f"{part}.{key}" in _keys(settings)}
        differ += [
            (f"{part}.{key}", whole.get(key), value)
            for key, value in mine.items()
            if _plain(whole.get(key)) != _plain(value)
        ]
        parts[part] = NamedOptions(theirs.name, dict(theirs.options))
    _refuse(differ, "the initial model", recipe.name)
    preparation = _preparation(recipe, trained.preparation, settings, "the initial model")
    return dataclasses.replace(
        recipe, preparation=preparation, front_end=parts["front_end"], model=parts["model"]
    )


def _preparation(recipe: Recipe, trained: Preparation, settings: Sequence[str], whose: str) -> Preparation:
    ours, theirs = recipe.preparation.to_dict(), trained.to_dict()
    asked = [key.partition(".")[2] for key in _keys(settings) if key.startswith("preparation.")]
    _refuse(
        [(f"preparation.{key}", theirs[key], ours[key]) for key in asked if theirs[key] != ours[key]],
        whose,
        recipe.name,
    )
    return trained


def _refuse(differ: Sequence[tuple[str, Any, Any]], whose: str, recipe: str) -> None:
    if differ:
        told = "; ".join(f"{key} is {typed(there)} there, {typed(here)} here" for key, there, here in differ)
        same = " ".join(f"--set '{key}={typed(there)}'" for key, there, _ in differ)
        raise UsageError(f"{whose} is not what recipe {recipe} describes: {told}. To have it so: {same}")


def _with_defaults(registry: Registry[Callable[..., Any]], part: NamedOptions) -> dict[str, Any]:
    known = entry_options(registry[part.name])
    defaults = {each.name: each.default for each in known if each.default is not inspect.Parameter.empty}
    return {**defaults, **part.options}


def _plain(value: object) -> object:
    """A value as JSON gives it back, so that a list and a tuple of the same numbers agree."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


def _keys(settings: Sequence[str]) -> list[str]:
    return [each.partition("=")[0].strip() for each in settings]


def _learnt_from(info: RunInfo) -> tuple[Clip, ...] | None:
    """The clips of a run's training and validation; None where they are not there, or are others by now."""
    pool = info.recipe.augmentation.pool if PROTOCOLS[info.protocol].copies else 0
    try:
        manifest = sum((read(spec) for spec in info.corpora), Manifest(()))
        selected = experiment.select(manifest, info.recipe).manifest
        fold = folds(selected, info.protocol, info.seed, pool)[info.fold]
    except (VocemoError, OSError, IndexError):
        return None
    if (len(fold.train), len(fold.validation), len(fold.test)) != info.clips:
        return None
    return (*fold.train, *fold.validation)


def _each_once(*parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for part in parts for each in part if each))
