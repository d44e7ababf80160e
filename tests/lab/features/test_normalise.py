from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from vocemo.errors import UsageError
from vocemo.lab.features import Normalise


def batches(seed: int = 0) -> list[tuple[torch.Tensor, torch.Tensor | None]]:
    generator = torch.Generator().manual_seed(seed)
    scale = torch.tensor([1.0, 50.0, 0.01])[:, None]
    made: list[tuple[torch.Tensor, torch.Tensor | None]] = []
    for size, lengths in ((4, None), (2, torch.tensor([7, 3])), (1, torch.tensor([0])), (3, None)):
        features = torch.randn(size, 3, 7, generator=generator) * scale - 400.0
        made.append((features, lengths))
    return made


def test_statistics_are_scikit_learns() -> None:
    rows = []
    for features, lengths in batches():
        counts = [7] * len(features) if lengths is None else lengths.tolist()
        rows += [clip[:, :count].T for clip, count in zip(features, counts, strict=True)]
    scaler = StandardScaler().fit(torch.cat(rows).double().numpy())
    normalise = Normalise(3).fit(batches())
    np.testing.assert_allclose(normalise.mean, scaler.mean_, rtol=1e-6)
    np.testing.assert_allclose(normalise.std, scaler.scale_, rtol=1e-5)


def test_padding_neither_counts_nor_stays() -> None:
    features, lengths = torch.full((1, 2, 5), torch.inf), torch.tensor([2])
    features[0, :, :2] = torch.tensor([[1.0, 3.0], [0.0, 0.0]])
    normal = Normalise(2).fit([(features, lengths)])(features, lengths)
    assert normal[0].tolist() == [[-1.0, 1.0, 0.0, 0.0, 0.0], [0.0] * 5]


def test_statistics_travel_in_the_state_dict() -> None:
    learnt, fresh = Normalise(3).fit(batches()), Normalise(3)
    features = batches(1)[0][0]
    assert torch.equal(fresh(features), features)
    fresh.load_state_dict(learnt.state_dict())
    assert torch.equal(fresh(features), learnt(features))


def test_a_fit_forgets_the_one_before() -> None:
    twice = Normalise(3).fit(batches(1)).fit(batches())
    torch.testing.assert_close(twice.mean, Normalise(3).fit(batches()).mean)


def test_nothing_to_learn_from_is_an_error() -> None:
    for nothing in ([], [(torch.zeros(1, 2, 4), torch.tensor([0]))]):
        with pytest.raises(UsageError, match="training"):
            Normalise(2).fit(nothing)
