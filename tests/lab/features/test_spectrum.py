from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.features import MelSpectrogram, Spectrum, use_export_kernels


@pytest.mark.parametrize("dft", ["fft", "matmul"])
@pytest.mark.parametrize(
    "n_fft, hop, win_length", [(2048, 512, None), (512, 160, None), (400, 160, None), (1024, 256, 401)]
)
def test_agrees_with_librosa(speech, agree, n_fft, hop, win_length, dft) -> None:
    spectrum = Spectrum(n_fft, hop, win_length, dft=dft)
    pairs = []
    for clip in speech.at(16_000):
        stft = librosa.stft(clip, n_fft=n_fft, hop_length=hop, win_length=win_length, pad_mode="constant")
        theirs = np.abs(stft) ** 2
        pairs.append(
            (spectrum(torch.from_numpy(clip)[None])[0].numpy() / theirs.max(), theirs / theirs.max())
        )
    agree(f"power spectrum {n_fft}/{hop} by {dft}, of the clip's largest bin", pairs, 1e-5)


@pytest.mark.parametrize("n_fft", [256, 400, 512, 1024, 2048])
def test_both_transforms_are_one(n_fft: int) -> None:
    samples = torch.randn(2, 5_000, generator=torch.Generator().manual_seed(1))
    by_fft, by_products = Spectrum(n_fft, 100)(samples), Spectrum(n_fft, 100, dft="matmul")(samples)
    torch.testing.assert_close(by_products, by_fft, rtol=1e-4, atol=1e-5 * by_fft.max().item())


def test_export_kernels_reach_every_spectrum() -> None:
    tree = torch.nn.ModuleDict({"a": Spectrum(400, 160), "b": torch.nn.Sequential(MelSpectrogram(16_000))})
    tree.double()
    use_export_kernels(tree)
    assert tree["a"].dft == tree["b"][0].spectrum.dft == "matmul"
    assert tree["a"](torch.zeros(1, 800, dtype=torch.float64)).dtype == torch.float64
    assert tree.state_dict() == {}  # kernels are computed, not saved
    tree["a"].dft = "fft"
    assert tree["a"].dft == "fft"


def test_wrong_options_name_the_right_ones() -> None:
    with pytest.raises(UnknownNameError, match="fft, matmul"):
        Spectrum(dft="dense")  # the error under test
    with pytest.raises(UsageError, match="1 to n_fft, 512"):
        Spectrum(512, win_length=513)
    with pytest.raises(UsageError, match="even"):
        Spectrum(511)
