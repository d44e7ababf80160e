from __future__ import annotations

import numpy as np
import pytest
import torch

from vocemo.errors import UsageError
from vocemo.lab.features.dft import MatrixDft, factorise

SIZES = [256, 400, 512, 1024, 2048]


@pytest.mark.parametrize("n_fft", [*SIZES, 2, 6, 14, 15, 97, 441])
def test_agrees_with_torch_and_numpy(n_fft: int) -> None:
    frames = torch.randn(2, 3, n_fft, generator=torch.Generator().manual_seed(n_fft))
    re, im = MatrixDft(n_fft).parts(frames)
    for oracle in (torch.fft.rfft(frames).numpy(), np.fft.rfft(frames.double().numpy())):
        largest = max(np.abs(re.numpy() - oracle.real).max(), np.abs(im.numpy() - oracle.imag).max())
        relative = largest / np.abs(oracle).max()
        print(f"largest difference, DFT of {n_fft}, of the largest bin: {relative:.2e}")
        assert relative < 1e-6


@pytest.mark.parametrize("n_fft", SIZES)
def test_power_is_the_parts_squared(n_fft: int) -> None:
    frames = torch.randn(1, 2, n_fft, generator=torch.Generator().manual_seed(0))
    dft = MatrixDft(n_fft)
    re, im = dft.parts(frames)
    torch.testing.assert_close(dft(frames), re.square() + im.square())


@pytest.mark.parametrize("n_fft", SIZES)
def test_constants_stay_small(n_fft: int) -> None:
    first, second = factorise(n_fft)
    assert first * second == n_fft
    constants = sum(buffer.numel() for buffer in MatrixDft(n_fft).buffers())
    assert constants < 2 * n_fft * (n_fft // 2 + 1) / 20  # of the dense transform


def test_a_pure_tone_is_one_bin() -> None:
    tone = torch.cos(2 * torch.pi * 3 * torch.arange(400) / 400)
    power = MatrixDft(400)(tone[None, None])[0, 0]
    assert int(power.argmax()) == 3
    assert power[3].item() == pytest.approx(200.0**2, rel=1e-5)
    assert power.sum().item() == pytest.approx(200.0**2, rel=1e-5)


def test_another_length_is_refused() -> None:
    with pytest.raises(UsageError, match="valid: 400"):
        MatrixDft(400)(torch.zeros(1, 1, 512))
