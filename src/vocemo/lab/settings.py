"""Every setting of a recipe: its key as `--set` takes it, its value, and what it may be."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vocemo.lab.recipe import Recipe
from vocemo.lab.recipe_options import (
    AdaptationOptions,
    AugmentationOptions,
    NamedOptions,
    TrainingOptions,
)
from vocemo.lab.registry import Registry, entry_options
from vocemo.prepare import Preparation

_PLAIN = {int: "a whole number", float: "a number", bool: "true, false", str: "a word"}
_FIELD = re.compile(r"^    (\w+): [^#]*?(?:#\s*(.*))?$")
_REMARK = re.compile(r"^    # (.*)$")


@dataclass(frozen=True)
class Setting:
    """One key of `--set`."""

    key: str  # "training.epochs"
    value: str  # as one would type it; empty where nothing is given, and no word says so
    takes: str  # what it may be; empty where only its entry knows
    meaning: str = ""


def settings(recipe: Recipe) -> tuple[Setting, ...]:
    """The settings of a recipe in the order of its file.

    Front end and model have all their options with the defaults where torch is installed, and without it
    those alone that the recipe gives.

    >>> from vocemo.lab import recipe as recipes
    >>> {each.key: each.value for each in settings(recipes.load("mel-cnn2d"))}["training.epochs"]
    '50'
    """
    return (
        Setting("name", recipe.name, "a word"),
        Setting("summary", recipe.summary, "a sentence"),
        Setting("source", recipe.source, "a sentence"),
        Setting("emotions", typed(list(recipe.emotions)), "a list of names", "in the order of the outputs"),
        *(
            Setting(f"relabel.{name}", value, "an emotion of the recipe", f"what '{name}' counts as")
            for name, value in recipe.relabel.items()
        ),
        *_fields("preparation", recipe.preparation),
        *_named("front_end", recipe.front_end),
        *_named("model", recipe.model),
        *_augmentation(recipe.augmentation),
        *_fields("training", recipe.training),
        *_fields("adaptation", recipe.adaptation),
    )


def typed(value: object) -> str:
    """A value as one types it behind `--set key=`.

    >>> typed(None), typed(True), typed(0.5), typed("uar"), typed([1, 2])
    ('none', 'true', '0.5', 'uar', '[1, 2]')
    """
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def _toml(value: object) -> str:
    return json.dumps(value) if isinstance(value, str) else typed(value)


def _fields(
    section: str, options: Preparation | TrainingOptions | AugmentationOptions | AdaptationOptions
) -> Iterator[Setting]:
    """The fields of an option dataclass, with the remark that stands beside or above each in its source."""
    wanted, remarks = typing.get_type_hints(type(options)), _remarks(type(options))
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        yield Setting(
            f"{section}.{field.name}", typed(value), _takes(wanted[field.name]), remarks.get(field.name, "")
        )


def _remarks(kind: type) -> dict[str, str]:
    found: dict[str, str] = {}
    above: list[str] = []
    for line in inspect.getsource(kind).splitlines():
        remark, field = _REMARK.match(line), _FIELD.match(line)
        if remark:
            above.append(remark.group(1))
        elif field:
            found[field.group(1)] = " ".join(above) if above else field.group(2) or ""
            above = []
        elif line.strip() == "def __post_init__(self) -> None:":
            break
    return found


def _named(section: str, part: NamedOptions) -> Iterator[Setting]:
    try:
        registry = _registry(section)
    except ImportError:
        registry = None
    names = ", ".join(sorted(registry)) if registry else ""
    yield Setting(f"{section}.name", part.name, names)
    known = {option.name: option for option in entry_options(registry[part.name])} if registry else {}
    # What has no default is given by the surroundings, not by a recipe.
    defaults = {n: o.default for n, o in known.items() if o.default is not inspect.Parameter.empty}
    for name, value in {**defaults, **part.options}.items():
        kind = known[name].type if name in known else None
        told = "" if value is None and str in typing.get_args(kind) else typed(value)
        yield Setting(f"{section}.{name}", told, _takes(kind))


def _registry(section: str) -> Registry[Callable[..., Any]]:
    if section == "model":
        from vocemo.lab.models import MODELS

        return MODELS
    from vocemo.lab.front_ends import FRONT_ENDS

    return FRONT_ENDS


def _augmentation(options: AugmentationOptions) -> Iterator[Setting]:
    for setting in _fields("augmentation", options):
        yield setting
        _, _, name = setting.key.partition(".")
        if name in ("pooled", "live", "spectral"):
            yield from _transforms(setting.key, getattr(options, name))


def _transforms(key: str, tables: Sequence[Mapping[str, Any]]) -> Iterator[Setting]:
    """Each option of each transform of a list; a name that is there twice gives way to the place."""
    known = _known_transforms()
    names = [table["name"] for table in tables]
    for place, table in enumerate(tables):
        name = table["name"]
        of_entry = entry_options(known[name]) if name in known else ()
        values = {"p": 1.0} | {option.name: option.default for option in of_entry}
        if key.endswith(".live"):
            values["from_view"] = 0
        takes = {"p": "a number from 0 to 1", "from_view": _takes(int)}
        takes |= {option.name: _takes(option.type) for option in of_entry}
        which = name if names.count(name) == 1 else place
        for option, value in {**values, **table}.items():
            if option != "name":
                yield Setting(
                    f"{key}.{which}.{option}", typed(value), takes.get(option, ""), _MEANINGS.get(option, "")
                )


_MEANINGS = {
    "p": "how often it is applied",
    "from_view": "of a clip's kept views, the first that it may be applied to",
}


def _known_transforms() -> Mapping[str, Any]:
    try:
        from vocemo.lab.augment import AUGMENTATIONS
        from vocemo.lab.augment.spectral import SPECTRAL_AUGMENTATIONS
    except ImportError:
        return {}
    return {name: registry[name] for registry in (AUGMENTATIONS, SPECTRAL_AUGMENTATIONS) for name in registry}


def _takes(wanted: Any) -> str:
    """What a type takes, in words."""
    origin = typing.get_origin(wanted)
    if wanted in _PLAIN:
        return _PLAIN[wanted]
    if origin is Literal:
        return ", ".join(map(str, typing.get_args(wanted)))
    if origin in (types.UnionType, typing.Union):
        inner = typing.get_args(wanted)[0]
        return _takes(inner) if inner is str else f"{_takes(inner)}, or none"
    if origin is Mapping:
        return "a table"
    if origin in (tuple, Sequence):
        inner = typing.get_args(wanted)[0]
        if inner in (int, float):
            return f"a list of {'whole ' if inner is int else ''}numbers"
        return "a list of tables, each with a name" if inner is not str else "a list of words"
    return ""
