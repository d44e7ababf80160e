"""The loss against torch's own, and against itself on the emotions that are left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from vocemo.lab.augment.mixup import draw_mixture
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.loss import Loss, emotions_told

EMOTIONS = ("neutral", "calm", "happy", "sad", "boredom")
TARGETS = torch.tensor([0, 1, 2, 3, 4, 0])


def logits() -> torch.Tensor:
    drawn = torch.randn(6, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return drawn.requires_grad_()


WEIGHTS = torch.tensor([0.5, 1.0, 2.0, 1.5, 0.25], dtype=torch.float64)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_where_every_emotion_is_told_the_loss_is_cross_entropy(weights: torch.Tensor | None) -> None:
    given, all_told = logits(), torch.ones(6, 5, dtype=torch.bool)
    expected = functional.cross_entropy(given, TARGETS, weight=weights, label_smoothing=0.2)
    loss_of = Loss(0.2, weights)
    torch.testing.assert_close(loss_of(given, TARGETS), expected)
    torch.testing.assert_close(loss_of(given, TARGETS, all_told), expected)


def test_the_loss_of_a_mixture_is_that_of_the_mixed_targets() -> None:
    given, mixture = logits(), draw_mixture(np.random.default_rng(2), 6, 0.4)
    whole = functional.one_hot(TARGETS, 5).double()
    shares = torch.from_numpy(mixture.shares).double()[:, None]
    targets = shares * whole + (1 - shares) * whole[torch.from_numpy(mixture.partners)]
    expected = functional.cross_entropy(given, targets, label_smoothing=0.1)
    torch.testing.assert_close(Loss(0.1)(given, TARGETS, mixture=mixture), expected)


def test_emotions_that_are_not_told_are_not_compared() -> None:
    given = logits()
    told = torch.tensor([[True, True, True, True, False]] * 4 + [[True, False, True, True, True]] * 2)
    loss = Loss(0.1)(given, TARGETS, told)
    alone = [functional.cross_entropy(given[:4, :4], TARGETS[:4], label_smoothing=0.1, reduction="none")]
    left = torch.tensor([0, 2, 3, 4])
    places = torch.tensor([3, 0])  # boredom and neutral among those four
    alone.append(functional.cross_entropy(given[4:, left], places, label_smoothing=0.1, reduction="none"))
    torch.testing.assert_close(loss, torch.cat(alone).mean())
    (gradient,) = torch.autograd.grad(loss, given)
    assert torch.isfinite(gradient).all()
    assert torch.equal(gradient == 0, ~told)


def test_a_mixture_of_two_corpora_asks_of_each_what_it_tells() -> None:
    given, mixture = logits(), draw_mixture(np.random.default_rng(5), 6, 1.0)
    told = torch.ones(6, 5, dtype=torch.bool)
    told[::2, 1] = False
    partners = torch.from_numpy(mixture.partners)
    each = [
        mixture.shares[i] * Loss()(given[i : i + 1], TARGETS[i : i + 1], told[i : i + 1])
        + (1 - mixture.shares[i])
        * Loss()(given[i : i + 1], TARGETS[partners][i : i + 1], told[partners][i : i + 1])
        for i in range(6)
    ]
    torch.testing.assert_close(Loss()(given, TARGETS, told, mixture), torch.stack(each).mean())


@pytest.mark.parametrize("mixed", [False, True])
def test_clips_that_count_twice_are_there_twice(mixed: bool) -> None:
    given = logits()
    mixture = draw_mixture(np.random.default_rng(3), 6, 0.4) if mixed else None
    counted = torch.tensor([2.0, 1.0, 1.0, 2.0, 1.0, 1.0])
    rows = torch.tensor([0, 0, 1, 2, 3, 3, 4, 5])
    if mixture is None:
        expected = Loss(0.1)(given[rows], TARGETS[rows])
    else:
        # Each clip's own loss and its partner's, each as often as that clip counts.
        partners, shares = torch.from_numpy(mixture.partners), torch.from_numpy(mixture.shares)
        alone = [
            functional.cross_entropy(given, t, label_smoothing=0.1, reduction="none")
            for t in (TARGETS, TARGETS[partners])
        ]
        parts = [shares * counted, (1 - shares) * counted[partners]]
        expected = sum((a * p).sum() for a, p in zip(alone, parts, strict=True)) / sum(p.sum() for p in parts)
    torch.testing.assert_close(Loss(0.1)(given, TARGETS, None, mixture, counted), expected)


def test_what_a_corpus_tells_are_the_emotions_of_its_speech_and_of_its_song() -> None:
    said = [
        ("ravdess", "speech", "neutral"),
        ("ravdess", "song", "happy"),
        ("emodb", "speech", "boredom"),
        ("ravdess", "speech", "calm"),
        ("emodb", "speech", "sad"),
    ]
    clips = [
        Clip(Path(f"{i}.wav"), corpus, emotion, f"{corpus}/1", channel=channel)
        for i, (corpus, channel, emotion) in enumerate(said)
    ]
    told = emotions_told(clips, EMOTIONS)
    names = [{e for e, is_told in zip(EMOTIONS, row, strict=True) if is_told} for row in told]
    german, spoken = {"boredom", "sad"}, {"neutral", "calm"}
    assert names == [spoken, {"happy"}, german, spoken, german]
