"""What a frame means by the frames around it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import correlate

from vocemo.errors import UsageError
from vocemo.lab.models import build
from vocemo.lab.models.context import Context

SHAPE = {"channels": 1, "bands": 64, "frames": None, "emotions": 4}


def begun(*args: int) -> Context:
    """With statistics and weights that are not those of a fresh one."""
    torch.manual_seed(0)
    context = Context(*args)
    for module in context.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
            torch.nn.init.normal_(module.bias)
    return context.eval()


def test_its_numbers_are_those_of_scipy_beside_the_states() -> None:
    context = begun(3, 2, 1, 5)
    states = torch.randn(1, 3, 11)
    with torch.no_grad():
        made = context(states, torch.tensor([11]))[0].double().numpy()
    before, (convolve, after, _) = context.normalise, context.layers[0]

    def normalised(values: np.ndarray, norm: torch.nn.BatchNorm1d) -> np.ndarray:
        mean, variance, weight, bias = (
            each.detach().double().numpy()[:, None]
            for each in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        )
        return (values - mean) / np.sqrt(variance + norm.eps) * weight + bias

    x = normalised(states[0].double().numpy(), before)
    kernels = convolve.weight.detach().double().numpy()
    convolved = np.array(
        [sum(correlate(x[i], kernel[i], mode="same") for i in range(3)) for kernel in kernels]
    )
    expected = np.maximum(normalised(convolved, after), 0)
    np.testing.assert_array_equal(made[:3], states[0].double().numpy())
    np.testing.assert_allclose(made[3:], expected, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 3])
def test_padding_is_not_heard(layers: int) -> None:
    context = begun(4, 3, layers, 3)
    states = torch.randn(2, 4, 9)
    own = torch.tensor([9, 5])
    with torch.no_grad():
        together = context(states, own)
        alone = context(states[1:, :, :5], own[1:])
        other = states.clone()
        other[1, :, 5:] = 1e3
        again = context(other, own)
    torch.testing.assert_close(together[1, :, :5], alone[0])
    torch.testing.assert_close(together[1, 4:], again[1, 4:])


def test_further_layers_are_added_to_the_first() -> None:
    context = begun(4, 3, 2, 3)
    shallow = Context(4, 3, 1, 3).eval()
    shallow.load_state_dict({k: v for k, v in context.state_dict().items() if "layers.1" not in k})
    torch.nn.init.zeros_(context.layers[1][1].weight)
    torch.nn.init.zeros_(context.layers[1][1].bias)  # says nothing
    states, own = torch.randn(1, 4, 9), torch.tensor([9])
    with torch.no_grad():
        torch.testing.assert_close(context(states, own), shallow(states, own))


def test_a_head_pools_the_context_too() -> None:
    plain, with_context = (
        build("encoder-head", {"encoder": "byol-s", "weights": "random", "context": count}, **SHAPE)
        for count in (0, 7)
    )
    assert with_context.classify.in_features - plain.classify.in_features == 2 * 7
    assert not any("context" in name for name in plain.state_dict())
    output = with_context.eval()(torch.randn(2, 1, 64, 40), torch.tensor([40, 17]))
    assert output.logits.shape == (2, 4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"context": -1}, r"model\.context is -1"),
        ({"context": 8, "context_layers": 0}, r"model\.context_layers is 0"),
        ({"context": 8, "context_kernel": 4}, r"model\.context_kernel is 4.*odd"),
    ],
)
def test_numbers_that_are_none(options: dict[str, int], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        build("encoder-head", {"encoder": "byol-s", "weights": "random", **options}, **SHAPE)
