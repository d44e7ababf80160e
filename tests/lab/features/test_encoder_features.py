"""Pre-emphasis, mirrored ends, Kaldi's mel filters and uncentred frames, each against its equation."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vocemo.errors import UsageError
from vocemo.lab.features import Spectrum, frame_signal, kaldi_filters, mirror_ends, pre_emphasis


def test_pre_emphasis_is_the_filter_without_its_first_output() -> None:
    samples = np.random.default_rng(0).standard_normal((3, 50)).astype(np.float32)
    expected = scipy.signal.lfilter([1.0, -0.97], [1.0], samples)[:, 1:]
    np.testing.assert_allclose(pre_emphasis(torch.from_numpy(samples)).numpy(), expected, atol=1e-6)
    with pytest.raises(UsageError, match="batch, samples"):
        pre_emphasis(torch.zeros(5))


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(8, 60), min_size=1, max_size=4),
    width=st.integers(0, 7),
    seed=st.integers(0, 9),
    in_a_graph=st.booleans(),
)
def test_each_signal_is_mirrored_at_its_own_ends(
    lengths: list[int], width: int, seed: int, in_a_graph: bool
) -> None:
    samples = torch.randn(len(lengths), max(lengths), generator=torch.Generator().manual_seed(seed))
    with mock.patch.object(torch.compiler, "is_compiling", lambda: in_a_graph):
        extended = mirror_ends(samples, torch.tensor(lengths), width)
    assert extended.shape == (len(lengths), max(lengths) + 2 * width)
    for row, length in enumerate(lengths):
        expected = np.pad(samples[row, :length].numpy(), width, mode="reflect")
        np.testing.assert_array_equal(extended[row, : length + 2 * width].numpy(), expected)
        assert not extended[row, length + 2 * width :].any()


def test_a_signal_too_short_for_its_image_has_samples_of_its_own_at_its_ends() -> None:
    samples = torch.tensor([[1.0, 2.0, 3.0, 9.0]])
    extended = mirror_ends(samples, torch.tensor([3]), 8)
    assert set(extended[0, : 3 + 16].tolist()) <= {1.0, 2.0, 3.0}


@pytest.mark.parametrize(
    ("rate_hz", "n_fft", "n_mels", "low_hz", "high_hz"),
    [(32_000, 1024, 128, 0.0, 15_000.0), (16_000, 512, 23, 20.0, 8_000.0), (8_000, 256, 40, 60.0, 3_400.0)],
)
def test_kaldis_filters_are_triangles_in_mel(
    rate_hz: int, n_fft: int, n_mels: int, low_hz: float, high_hz: float
) -> None:
    def mel(hz: float) -> float:
        return 1127.0 * np.log(1.0 + hz / 700.0)

    step = (mel(high_hz) - mel(low_hz)) / (n_mels + 1)
    expected = np.zeros((n_fft // 2 + 1, n_mels))
    for band in range(n_mels):
        left = mel(low_hz) + band * step
        for k in range(n_fft // 2):  # the bin at half the rate is in none
            place = mel(k * rate_hz / n_fft)
            if left < place <= left + step:
                expected[k, band] = (place - left) / step
            elif left + step < place < left + 2 * step:
                expected[k, band] = (left + 2 * step - place) / step
    np.testing.assert_allclose(
        kaldi_filters(rate_hz, n_fft, n_mels, low_hz, high_hz).numpy(), expected, atol=1e-6
    )


@pytest.mark.parametrize(
    ("n_mels", "low_hz", "high_hz"), [(0, 0.0, 4_000.0), (8, 500.0, 400.0), (8, 0.0, 9_000.0)]
)
def test_bands_that_cannot_be_are_refused(n_mels: int, low_hz: float, high_hz: float) -> None:
    with pytest.raises(UsageError, match="valid"):
        kaldi_filters(16_000, 512, n_mels, low_hz, high_hz)


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(40, 300), half=st.integers(1, 20), hop=st.integers(1, 90), exportable=st.booleans()
)
def test_frames_that_are_not_centred_begin_with_the_signal(
    samples: int, half: int, hop: int, exportable: bool
) -> None:
    signal = np.arange(1, samples + 1, dtype=np.float32)
    expected = np.lib.stride_tricks.sliding_window_view(signal, 2 * half)[::hop]
    found = frame_signal(torch.from_numpy(signal)[None], 2 * half, hop, exportable=exportable, centred=False)
    np.testing.assert_array_equal(found[0].numpy(), expected)


@pytest.mark.parametrize("dft", ["fft", "matmul"])
@pytest.mark.parametrize("periodic", [True, False])
def test_a_spectrum_under_either_window_is_that_of_the_equation(periodic: bool, dft: str) -> None:
    samples = np.random.default_rng(4).standard_normal(3_000)
    window = np.pad(scipy.signal.get_window("hann", 301, fftbins=periodic), (105, 106))
    frames = np.lib.stride_tricks.sliding_window_view(samples, 512)[::160] * window
    expected = np.abs(np.fft.rfft(frames, axis=1)).T ** 2
    spectrum = Spectrum(512, 160, 301, dft=dft, periodic=periodic, centred=False)
    found = spectrum(torch.from_numpy(samples).float()[None])[0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5 * expected.max())
