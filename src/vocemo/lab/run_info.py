"""What was asked of a training: run.json."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from vocemo.lab import provenance
from vocemo.lab.recipe import Recipe, from_dict
from vocemo.lab.selective import Threshold


@dataclass(frozen=True)
class InitialInfo:
    """Where the weights came from that a training began with, by name; no path of any machine.

    Two are the same where their weights are. `voices` are the speakers that they learnt from, those before
    them included; of the corpora in `unlisted` it is not known which clips they learnt from.
    """

    name: str  # of the bundle's file, or what the run was
    sha256: str  # of the weights
    emotions: tuple[str, ...] = field(compare=False)
    corpora: tuple[str, ...] = field(compare=False)
    clips: int = field(compare=False)  # that they learnt from
    speakers: int = field(compare=False)
    licence: str = field(compare=False)
    attribution: tuple[str, ...] = field(compare=False)
    voices: tuple[str, ...] = field(default=(), compare=False)
    unlisted: tuple[str, ...] = field(default=(), compare=False)

    def describe(self) -> str:
        """In a few words, to stand beside figures."""
        return f"began with the weights of {self.name}, which learnt from {', '.join(self.corpora)}"

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> InitialInfo:
        """The same from run.json."""
        read: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        return cls(**read)


@dataclass(frozen=True)
class RunInfo:
    """What was asked for; two runs with the same are the same run."""

    recipe: Recipe
    corpora: tuple[str, ...]  # as given: "ravdess:DATA/ravdess"
    protocol: str
    fold: int
    seed: int
    clips: tuple[int, int, int]  # training, validation, test
    learning_rates: tuple[float, ...] = ()  # fixed beforehand, where there is no validation
    temperature: float | None = None  # likewise
    # Likewise; of no effect on the weights, so that a run made without them can be given them afterwards.
    thresholds: tuple[Threshold, ...] = field(default=(), compare=False)
    distance_ratio: float | None = field(default=None, compare=False)
    initial: InitialInfo | None = None  # None: the training began with fresh weights
    # What it happened on; of no effect on what is asked for.
    made: dict[str, Any] = field(default_factory=dict, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for run.json."""
        return {
            "recipe": self.recipe.to_dict(),
            "recipe_sha256": self.recipe.sha256,
            "corpora": list(self.corpora),
            "protocol": self.protocol,
            "fold": self.fold,
            "seed": self.seed,
            "clips": list(self.clips),
            "learning_rates": list(self.learning_rates),
            "temperature": self.temperature,
            "thresholds": [dataclasses.asdict(each) for each in self.thresholds],
            "distance_ratio": self.distance_ratio,
            "initial": None if self.initial is None else dataclasses.asdict(self.initial),
            "made": self.made,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RunInfo:
        """The same from run.json."""
        training, validation, test = data["clips"]
        return cls(
            recipe=from_dict(data["recipe"]),
            corpora=tuple(data["corpora"]),
            protocol=data["protocol"],
            fold=data["fold"],
            seed=data["seed"],
            clips=(training, validation, test),
            learning_rates=tuple(data["learning_rates"]),
            temperature=data["temperature"],
            thresholds=tuple(Threshold(**each) for each in data.get("thresholds", ())),
            distance_ratio=data.get("distance_ratio"),
            initial=InitialInfo.from_dict(data["initial"]) if data.get("initial") else None,
            made=data["made"],
        )


def made_here(device: str) -> dict[str, Any]:
    """The circumstances of a run that starts now."""
    return {
        "device": device,
        "versions": provenance.versions(),
        "commit": provenance.commit(),
        "date": provenance.today(),
        "command": provenance.command(),
    }


# What makes no other run.
_NOT_ASKED = ("made", "recipe_sha256", "thresholds", "distance_ratio", "initial")


def difference(there: RunInfo, asked: RunInfo) -> str:
    """What was asked of a run that is there, and is asked for otherwise now, in a few words."""
    if there.initial != asked.initial:
        return f"it began with {_begun_with(there)}, asked for is {_begun_with(asked)}"
    before, now = there.to_dict(), asked.to_dict()
    for key in before:
        if key not in _NOT_ASKED and before[key] != now[key]:
            if isinstance(before[key], dict):
                for inner in before[key]:
                    if before[key][inner] != now[key].get(inner):
                        return (
                            f"its {key}.{inner} is {before[key][inner]}, asked for is {now[key].get(inner)}"
                        )
            return f"its {key} is {before[key]}, asked for is {now[key]}"
    return "it is another run"


def _begun_with(info: RunInfo) -> str:
    if info.initial is None:
        return "fresh weights"
    return f"the weights of {info.initial.name} (SHA-256 {info.initial.sha256[:12]})"
