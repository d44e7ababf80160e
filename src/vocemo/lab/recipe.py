"""A recipe: everything that decides what is trained and how, read from one TOML file.

Defaults live in the dataclasses of `recipe_options` and nowhere else. `--set training.epochs=5` replaces one
value; a key that does not exist is answered with those that do.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from vocemo.emotions import EMOTIONS, canonical
from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab import options
from vocemo.lab.corpora.registry import CORPORA
from vocemo.lab.recipe_options import (
    AdaptationOptions,
    AugmentationOptions,
    NamedOptions,
    TrainingOptions,
)
from vocemo.prepare import Preparation

# Options that recipes did not have when the first were trained, and what they were like without.
_LATER: Mapping[str, Mapping[str, Any]] = {
    "augmentation": {"spectral": [], "views": 0},
    "training": {
        "own_emotions": False,
        "mixup": 0.0,
        "weight_average": 0.0,
        "keep": "best",
        "schedule": "plateau",
        "warm_up": 0.2,
    },
    "adaptation": dataclasses.asdict(AdaptationOptions()),
}


@dataclass(frozen=True)
class Recipe:
    """What is trained and how."""

    name: str
    summary: str
    source: str
    emotions: tuple[str, ...]
    preparation: Preparation
    front_end: NamedOptions
    model: NamedOptions
    augmentation: AugmentationOptions
    training: TrainingOptions
    relabel: Mapping[str, str] = field(default_factory=dict)  # a corpus's emotion -> the one it counts as
    # Of account where a training begins with trained weights.
    adaptation: AdaptationOptions = field(default_factory=AdaptationOptions)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: `from_dict(recipe.to_dict()) == recipe`."""
        return {
            "name": self.name,
            "summary": self.summary,
            "source": self.source,
            "emotions": list(self.emotions),
            "preparation": self.preparation.to_dict(),
            "front_end": self.front_end.to_dict(),
            "model": self.model.to_dict(),
            "augmentation": {
                "pool": self.augmentation.pool,
                "pooled": [dict(t) for t in self.augmentation.pooled],
                "live": [dict(t) for t in self.augmentation.live],
                "spectral": [dict(t) for t in self.augmentation.spectral],
                "views": self.augmentation.views,
                "enlarge": self.augmentation.enlarge,
            },
            "training": dataclasses.asdict(self.training),
            "relabel": dict(self.relabel),
            "adaptation": dataclasses.asdict(self.adaptation),
        }

    @property
    def sha256(self) -> str:
        """Digest of everything in the recipe, defaults included; hexadecimal.

        An option that came later counts where it is used: a recipe that does not know it keeps its digest.
        """
        plain = self.to_dict()
        for section, added in _LATER.items():
            for key, default in added.items():
                if plain[section][key] == default:
                    del plain[section][key]
        if not plain["adaptation"]:
            del plain["adaptation"]
        text = json.dumps(plain, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def from_dict(table: Mapping[str, Any]) -> Recipe:
    """A recipe from plain data.

    Raises UnknownNameError for a key or emotion that does not exist, UsageError for one that is missing.
    """
    options.refuse_unknown("recipe key", table, [f.name for f in dataclasses.fields(Recipe)])
    for key in ("name", "emotions", "front_end", "model"):
        if key not in table:
            raise UsageError(f"the recipe has no '{key}'; it needs name, emotions, front_end and model")
    return Recipe(
        name=str(table["name"]),
        summary=str(table.get("summary", "")),
        source=str(table.get("source", "")),
        emotions=_checked_emotions(table["emotions"]),
        preparation=options.read("preparation", Preparation, table.get("preparation", {})),
        front_end=_named("front_end", table["front_end"]),
        model=_named("model", table["model"]),
        augmentation=options.read("augmentation", AugmentationOptions, table.get("augmentation", {})),
        training=options.read("training", TrainingOptions, table.get("training", {})),
        relabel=_checked_relabel(table.get("relabel", {}), table["emotions"]),
        adaptation=options.read("adaptation", AdaptationOptions, table.get("adaptation", {})),
    )


def names() -> tuple[str, ...]:
    """The recipes inside the package, by name."""
    folder = resources.files("vocemo.lab").joinpath("recipes")
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def source_text(name_or_path: str) -> str:
    """The TOML of a recipe of the package, or of the user's own file (a path that ends in .toml)."""
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
        if not path.is_file():
            raise UsageError(
                f"no recipe file at '{name_or_path}'; the package's own are: {', '.join(names())}"
            )
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"recipe file '{name_or_path}' is no UTF-8 text (byte {error.start})") from error
    if name_or_path not in names():
        raise UnknownNameError("recipe", name_or_path, names())
    return (
        resources.files("vocemo.lab").joinpath("recipes", f"{name_or_path}.toml").read_text(encoding="utf-8")
    )


def load(name_or_path: str, overrides: Iterable[str] = (), corpora: Iterable[str] = ()) -> Recipe:
    """A recipe of the package or a file, with `key=value` overrides.

    What a recipe holds under `for.CORPUS` replaces its own values where that corpus is all that it is
    trained on, as its name in `corpora` says: a corpus may have emotions of its own.

    >>> load("dual-channel-cnn", ["training.epochs=3"]).training.epochs
    3
    >>> load("dual-channel-cnn", ["training.epoch=3"])
    Traceback (most recent call last):
        ...
    vocemo.errors.UnknownNameError: unknown training key 'epoch'; did you mean 'epochs'? Valid: epochs, \
batch_size, learning_rate, weight_decay, label_smoothing, crop_s, sampling, balance_classes, own_emotions, \
gradient_clip, mixup, weight_average, precision, monitor, keep, validate_every, patience, schedule, \
warm_up, plateau_patience, plateau_factor, min_learning_rate
    """
    try:
        table = tomllib.loads(source_text(name_or_path))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"recipe '{name_or_path}' is not valid TOML: {error}") from error
    own = options.table("for", table.pop("for", {}))
    keys = dict.fromkeys(CORPORA[name].speaker_key for name in CORPORA)
    options.refuse_unknown("corpus in the recipe's 'for'", own, keys)
    named = {CORPORA[name].speaker_key for name in corpora if name in CORPORA}
    if len(named) == 1:
        _merge(table, options.table("for", own.get(named.pop(), {})))
    for override in overrides:
        _set(table, override)
    return from_dict(table)


def _merge(table: dict[str, Any], own: Mapping[str, Any]) -> None:
    for key, value in own.items():
        if isinstance(value, Mapping) and key != "relabel":
            _merge(table.setdefault(key, {}), value)
        else:
            table[key] = value


def _set(table: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise UsageError(f"--set takes key=value, such as training.epochs=5; got '{override}'")
    if parts[0] == "for":
        raise UsageError(
            f"--set {override}: a corpus's own values stand in a recipe's file; here, set the value itself, "
            "such as training.epochs=5"
        )
    *parents, last = parts
    target: Any = table
    for parent in parents:
        known = isinstance(target, dict)
        below = target.setdefault(parent, {}) if known else _entry(target, parent, override)
        if not isinstance(below, dict | list) or (isinstance(below, list) and not _of_tables(below)):
            raise UsageError(f"--set {override}: '{parent}' holds a value, not further keys")
        target = below
    if not isinstance(target, dict):
        tables = ".".join(parents)
        raise UsageError(
            f"--set {override}: {tables} is a list of tables; name one of them and its key, such as "
            f"{tables}.{target[0].get('name', 0)}.p=0.5"
        )
    target[last] = _toml_value(text.strip(), override)


def _of_tables(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, dict) for value in values)


def _entry(tables: list[dict[str, Any]], which: str, override: str) -> dict[str, Any]:
    """The table of a list that has this name, or this place from 0."""
    names = [str(entry.get("name")) for entry in tables]
    if which.isdecimal() and int(which) < len(tables):
        return tables[int(which)]
    if names.count(which) != 1:
        places = [str(place) for place in range(len(tables))]
        raise UnknownNameError(f"entry in --set {override}:", which, [*dict.fromkeys(names), *places])
    return tables[names.index(which)]


def _toml_value(text: str, override: str) -> Any:
    # A bare word is a string, so that quotes need not survive a shell.
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        if text.startswith(("[", "{")):
            raise UsageError(
                f"--set {override}: the value is no list or table of TOML ({error}); words need quotes, "
                'such as ["happy", "sad"]'
            ) from error
        return text


def _named(kind: str, table: Any) -> NamedOptions:
    if not isinstance(table, Mapping) or "name" not in table:
        raise UsageError(
            f"the recipe's {kind} is a table with a name; got {table!r}; valid: {kind}.name=NAME, and its "
            "options one by one"
        )
    return NamedOptions(str(table["name"]), {k: v for k, v in table.items() if k != "name"})


def _checked_relabel(given: object, emotions: Sequence[str]) -> dict[str, str]:
    relabel = {name: str(value) for name, value in options.table("relabel", given).items()}
    for name, value in relabel.items():
        if value not in emotions:
            raise UnknownNameError(f"emotion that relabel.{name} counts as", value, emotions)
        if name in emotions or canonical(name) != name:
            raise UsageError(
                f"relabel.{name}: what counts as another emotion is none of the recipe's own, such as calm"
            )
    return relabel


def _checked_emotions(labels: object) -> tuple[str, ...]:
    if not isinstance(labels, list | tuple) or not all(isinstance(label, str) for label in labels):
        raise UsageError(f"emotions is {labels!r}; valid: a list of names, such as {list(EMOTIONS)}")
    # A recipe may have any label set; a near miss of a known name is a slip, not a new emotion.
    for label in labels:
        close = difflib.get_close_matches(label, EMOTIONS, n=1, cutoff=0.85)
        if not label or canonical(label) != label or (close and label not in EMOTIONS):
            raise UnknownNameError("emotion", label, EMOTIONS)
    if len(set(labels)) != len(labels) or len(labels) < 2:
        raise UsageError(f"emotions must be two or more different names; got {list(labels)}")
    return tuple(labels)
