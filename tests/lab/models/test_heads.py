"""The last layers of every architecture: whose rows go with which emotion."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vocemo.errors import UsageError
from vocemo.lab import network
from vocemo.lab import recipe as recipes
from vocemo.lab.models import MODELS, carried_over, heads
from vocemo.lab.network import Network
from vocemo.lab.recipe_options import AdaptationOptions

EMOTIONS = ("neutral", "happy", "sad", "angry")
OTHERS = ("angry", "boredom", "neutral", "sad", "happy")


def built(name: str, emotions: tuple[str, ...], seed: int) -> Network:
    """An architecture behind the front end of a recipe that uses it."""
    using = [each for each in map(recipes.load, recipes.names()) if each.model.name == name]
    base = using[0].name if using else "residual-cnn"
    own = () if using else (f'model={{name="{name}"}}',)
    return network.build(recipes.load(base, [*own, f"emotions={list(emotions)}", "relabel={}"]), seed).eval()


@pytest.mark.parametrize("name", list(MODELS))
def test_rows_that_are_carried_over_by_name_give_each_emotion_its_own_logit(name: str) -> None:
    trained, other = built(name, EMOTIONS, 1), built(name, OTHERS, 2)
    rows = {f"{layer}.{part}" for layer in other.heads for part in ("weight", "bias")}
    fresh, given = other.state_dict(), trained.state_dict()
    differ = {key for key in fresh if fresh[key].shape != given[key].shape}
    assert differ == rows, "what has another shape for other emotions is a last layer"
    made = carried_over({key: fresh[key] for key in rows}, given, EMOTIONS, OTHERS)
    other.load_state_dict({**given, **made})
    length = 3 * 32_000
    samples = 0.1 * torch.randn(2, length, generator=torch.Generator().manual_seed(0))
    fixed = recipes_length(other)
    samples = samples[:, :fixed] if fixed else samples
    lengths = torch.full((2,), samples.shape[1])
    with torch.inference_mode():
        ours, theirs = other(samples, lengths), trained(samples, lengths)
    if ours.votes is not None and theirs.votes is not None:
        ours_logits, theirs_logits = ours.votes, theirs.votes
    else:
        ours_logits, theirs_logits = ours.logits, theirs.logits
    for place, emotion in enumerate(OTHERS):
        if emotion in EMOTIONS:
            torch.testing.assert_close(
                ours_logits[..., place], theirs_logits[..., EMOTIONS.index(emotion)], rtol=0, atol=1e-6
            )
    for key in rows:
        assert torch.equal(other.state_dict()[key][1], fresh[key][1]), "a new emotion begins fresh"


def recipes_length(trained: Network) -> int | None:
    """The samples of the one length that some architectures take."""
    for name in recipes.names():
        chosen = recipes.load(name)
        if chosen.preparation.length and MODELS[chosen.model.name] is type(trained.model):
            return chosen.preparation.length
    return None


@pytest.mark.parametrize("name", list(MODELS))
def test_an_adaptation_of_the_head_trains_the_last_layers_alone(name: str) -> None:
    trained = built(name, EMOTIONS, 1)
    trained.adapt(AdaptationOptions(layers="head"))
    learning = {key for key, values in trained.named_parameters() if values.requires_grad}
    assert learning == {f"{layer}.{part}" for layer in trained.heads for part in ("weight", "bias")}
    trained.train()
    norms = [m for m in trained.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert not any(norm.training for norm in norms) and trained.training


def test_a_module_without_a_last_layer_is_refused() -> None:
    with pytest.raises(UsageError, match="keeps it as 'classify'"):
        heads(nn.Sequential(nn.Linear(2, 2)))
