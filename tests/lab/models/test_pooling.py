"""From states of many layers and frames to one vector a clip."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vocemo.errors import UnknownNameError
from vocemo.lab.models.pooling import LayerMix, StatisticsPooling


def states_of(*lengths: int, width: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(lengths), width, max(lengths), generator=generator), torch.tensor(lengths)


def test_plain_statistics_are_mean_and_deviation_of_a_clips_own_frames() -> None:
    states, frames = states_of(9, 4, 1)
    states[1, :, 4:] = torch.nan  # what stands past an end is nothing
    pooled, attention = StatisticsPooling(5, "statistics")(states, frames)
    for row, length in enumerate(frames.tolist()):
        own = states[row, :, :length].double().numpy()
        np.testing.assert_allclose(pooled[row, :5].numpy(), own.mean(1), atol=1e-5)
        np.testing.assert_allclose(pooled[row, 5:].numpy(), np.sqrt(own.var(1) + 1e-6), atol=1e-5)
        np.testing.assert_allclose(attention[row, :length].numpy(), 1 / length, atol=1e-6)
        assert not attention[row, length:].any()


def test_attention_weighs_frames_by_a_learnt_score() -> None:
    states, frames = states_of(9, 4)
    pool = StatisticsPooling(5, "attentive", hidden=3)
    pooled, attention = pool(states, frames)
    first, _, second = pool.score
    for row, length in enumerate(frames.tolist()):
        own = states[row, :, :length].detach().numpy().T  # (frames, 5)
        hidden = np.tanh(own @ first.weight[:, :, 0].detach().numpy().T + first.bias.detach().numpy())
        score = hidden @ second.weight[0, :, 0].detach().numpy()
        weight = np.exp(score) / np.exp(score).sum()
        np.testing.assert_allclose(attention[row, :length].detach().numpy(), weight, atol=1e-6)
        mean = weight @ own
        deviation = np.sqrt(weight @ (own - mean) ** 2 + 1e-6)
        np.testing.assert_allclose(pooled[row].detach().numpy(), np.r_[mean, deviation], atol=1e-5)


def test_layers_count_alike_at_first_and_by_softmax_then() -> None:
    hidden = torch.randn(2, 3, 4, 5)
    mix = LayerMix(3)
    torch.testing.assert_close(mix(hidden), hidden.mean(1))
    with torch.no_grad():
        mix.scores.copy_(torch.tensor([0.0, 1.0, -2.0]))
    share = np.exp([0.0, 1.0, -2.0]) / np.exp([0.0, 1.0, -2.0]).sum()
    np.testing.assert_allclose(
        mix(hidden).detach().numpy(), np.einsum("l,bldt->bdt", share, hidden), atol=1e-6
    )


def test_another_pooling_is_answered_with_the_right_ones() -> None:
    with pytest.raises(UnknownNameError, match="attentive, statistics"):
        StatisticsPooling(4, "mean")
