"""A recipe's layers and parameter counts.

Made with torch by `scripts/write_recipe_sheets.py`, kept beside the recipes as `sheets.json`, and read
from there without torch; a test keeps the file true.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from importlib import resources

from vocemo.lab import recipe as recipes

EXAMPLE_S = 3.0  # the shapes on a sheet are those of one clip of this length, unless the recipe fixes it


@dataclass(frozen=True)
class Layer:
    """One layer as it ran: the shape is (batch, ...) of what it gives."""

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Sheet:
    """What a recipe's network is made of."""

    layers: tuple[Layer, ...]
    trainable: int
    not_trainable: int  # moving statistics of batch normalisation, and what is frozen
    frozen: int = 0


def measure(name: str) -> Sheet:
    """Build the recipe's network and run one clip of silence through it. Needs torch."""
    import torch

    from vocemo.lab import network as networks

    recipe = recipes.load(name)
    network = networks.build(recipe, seed=0).eval()
    layers: list[Layer] = []

    def note(layer_name: str, module: torch.nn.Module) -> None:
        def hook(module: torch.nn.Module, _: object, output: object) -> None:
            if isinstance(output, torch.Tensor):
                count = sum(p.numel() for p in module.parameters())
                layers.append(Layer(layer_name, type(module).__name__, tuple(output.shape), count))

        module.register_forward_hook(hook)

    for layer_name, module in network.model.named_modules():
        if not list(module.children()):
            note(layer_name, module)
    length = recipe.preparation.length or round(EXAMPLE_S * recipe.preparation.sample_rate)
    with torch.inference_mode():
        network(torch.zeros(1, length), torch.tensor([length]))
    trainable, fixed = network.parameter_counts()
    frozen = sum(p.numel() for p in network.model.parameters() if not p.requires_grad)
    return Sheet(tuple(layers), trainable, fixed, frozen)


def write_all() -> str:
    """The sheets of every recipe as JSON. Needs torch."""
    sheets = {name: dataclasses.asdict(measure(name)) for name in recipes.names()}
    return json.dumps(sheets, indent=1) + "\n"


def read(name: str) -> Sheet:
    """The kept sheet of a recipe of the package. Raises UnknownNameError for another name."""
    recipes.source_text(name)
    text = resources.files("vocemo.lab").joinpath("recipes", "sheets.json").read_text(encoding="utf-8")
    kept = json.loads(text)[name]
    layers = tuple(
        Layer(each["name"], each["kind"], tuple(each["output"]), each["parameters"])
        for each in kept["layers"]
    )
    return Sheet(layers, kept["trainable"], kept["not_trainable"], kept["frozen"])
