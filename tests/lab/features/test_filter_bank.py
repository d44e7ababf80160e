"""A filter bank against one product with all of its filters."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from vocemo.lab.features import FilterBank, kaldi_filters, mel_filters


@given(bands=st.integers(1, 90), seed=st.integers(0, 99))
def test_it_is_the_product_with_all_filters_whatever_is_zero_in_them(bands: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    filters = rng.random((40, bands)) * (rng.random((40, bands)) < 0.2)
    power = rng.random((2, 3, 40))
    found = FilterBank(torch.from_numpy(filters))(torch.from_numpy(power))
    np.testing.assert_allclose(found, power @ filters, atol=1e-12)


def test_it_is_so_for_the_filters_that_encoders_came_with() -> None:
    power = torch.rand(2, 5, 513, generator=torch.Generator().manual_seed(0))
    for filters in (kaldi_filters(32_000, 1024, 128, 0.0, 15_000.0), mel_filters(16_000, 1024, 64)):
        torch.testing.assert_close(FilterBank(filters)(power), power @ filters)


def test_filters_of_nothing_let_nothing_through() -> None:
    assert not FilterBank(torch.zeros(8, 20))(torch.ones(1, 2, 8)).any()
