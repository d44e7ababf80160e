"""What holds for every feature: batch = single, any device, gradients, eager = exported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from vocemo.lab.features import (
    Deltas,
    MelSpectrogram,
    Mfcc,
    Normalise,
    Rms,
    Spectrum,
    StackedVector,
    ToDecibel,
    ZeroCrossingRate,
    frame_lengths,
    use_export_kernels,
)

HOP = 160


class OfMel(nn.Module):
    """A mel spectrogram, and what works on it."""

    def __init__(self, then: nn.Module) -> None:
        super().__init__()
        self.mel, self.then = MelSpectrogram(16_000, 512, HOP, n_mels=40), then

    def forward(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        frames = None if lengths is None else frame_lengths(lengths, HOP)
        features: Tensor = self.then(self.mel(samples, lengths), frames)
        return features


def normalise() -> Normalise:
    generator = torch.Generator().manual_seed(3)
    return Normalise(40).fit([(torch.rand(2, 40, 30, generator=generator), None)])


FEATURES: dict[str, Callable[[], nn.Module]] = {
    "spectrum": lambda: Spectrum(400, HOP),
    "mel": lambda: MelSpectrogram(16_000, 512, HOP, n_mels=40),
    "magnitude_mel": lambda: MelSpectrogram(16_000, 512, HOP, n_mels=40, power=1.0),
    "decibel": lambda: OfMel(ToDecibel(top_db=30.0)),
    "decibel_of_max": lambda: OfMel(ToDecibel(top_db=30.0, ref="max")),
    "mfcc": lambda: Mfcc(16_000, 13, 512, HOP, 40, top_db=30.0),
    "zcr": lambda: ZeroCrossingRate(400, HOP),
    "rms": lambda: Rms(400, HOP),
    "deltas": lambda: OfMel(Deltas()),
    "delta_deltas": lambda: OfMel(Deltas(order=2)),
    "normalise": lambda: OfMel(normalise()),
}


def signal(batch: int, samples: int, seed: int = 0) -> Tensor:
    """Noise that swells and fades, so that levels differ along a clip."""
    swell = 0.3 * torch.linspace(0.0, 12.0, samples).sin() ** 2 + 1e-3
    return swell * torch.randn(batch, samples, generator=torch.Generator().manual_seed(seed))


def assert_same(ours: Tensor, expected: Tensor) -> None:
    """Equal but for rounding, which grows with the largest value."""
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6 * expected.abs().max().item() + 1e-9)


@pytest.mark.parametrize("dft", ["fft", "matmul"])
@pytest.mark.parametrize("name", FEATURES)
def test_a_clip_in_a_batch_is_the_clip_alone(name: str, dft: str) -> None:
    feature = FEATURES[name]()
    if dft == "matmul":
        use_export_kernels(feature)
    lengths = [16_000, 9_999, 160, 159, 1, 5_120]
    batch = signal(len(lengths), 16_000)
    together = feature(batch, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        alone = feature(batch[row : row + 1, :length])
        frames = 1 + length // HOP
        assert alone.shape[2] == frames
        assert_same(together[row, :, :frames], alone[0])


@pytest.mark.parametrize("name", FEATURES)
def test_what_stands_in_the_padding_does_not_matter(name: str) -> None:
    feature, lengths = FEATURES[name](), torch.tensor([4_000, 1_234])
    batch = signal(2, 4_000)
    expected = feature(batch, lengths)
    batch[1, 1_234:] = 77.0
    frames = 1 + 1_234 // HOP
    assert_same(feature(batch, lengths)[1, :, :frames], expected[1, :, :frames])


@pytest.mark.parametrize("name", FEATURES)
def test_large_batches_and_long_clips_are_worked_in_pieces(name: str) -> None:
    feature, batch = FEATURES[name](), signal(2, 200_000)
    together = feature(batch)
    assert_same(together[1:], feature(batch[1:]))
    middle = feature(batch[:, 80_000:120_000])
    if name in ("spectrum", "mel", "rms", "zcr", "normalise"):  # the others look beyond the frame
        assert_same(together[:, :, 510:740], middle[:, :, 10:240])


@pytest.mark.parametrize("name", [name for name in FEATURES if name != "zcr"])
def test_gradients_flow(name: str) -> None:
    feature, samples = FEATURES[name](), signal(2, 3_000).requires_grad_()
    features = feature(samples, torch.tensor([3_000, 1_500]))
    (slope,) = torch.autograd.grad(features.square().sum(), samples)
    assert torch.isfinite(slope).all()
    assert slope[0].abs().sum() > 0
    assert not slope[1, 1_500:].any()


@pytest.mark.parametrize("dft", ["fft", "matmul"])
def test_gradients_are_the_finite_differences(dft: str) -> None:
    mfcc = Mfcc(16_000, 5, 32, 16, 8, dft=dft).double()
    samples = signal(2, 50).double().requires_grad_()
    assert torch.autograd.gradcheck(mfcc, (samples, torch.tensor([50, 33])))


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cuda_is_the_cpu(name: str) -> None:
    feature, samples, lengths = FEATURES[name](), signal(3, 9_000), torch.tensor([9_000, 4_321, 1])
    expected = feature(samples, lengths)
    ours = feature.cuda()(samples.cuda(), lengths.cuda()).cpu()
    torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-5 * expected.abs().max().item())


class Every(nn.Module):
    """All features side by side, so that one graph exports them all; one mel spectrogram serves many."""

    def __init__(self) -> None:
        super().__init__()
        self.mel = MelSpectrogram(16_000, 512, HOP, n_mels=40)
        self.features = nn.ModuleDict({name: make() for name, make in FEATURES.items() if name != "mel"})

    def forward(self, samples: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        mel, frames = self.mel(samples, lengths), frame_lengths(lengths, HOP)
        features = {"mel": mel}
        for name, feature in self.features.items():
            of_mel = isinstance(feature, OfMel)
            features[name] = feature.then(mel, frames) if of_mel else feature(samples, lengths)
        return features


def exported(module: nn.Module, arguments: tuple[Tensor, ...], shapes: object, path: Path):
    """The module as an ONNX Runtime session; its graph may hold no transform but matrix products."""
    use_export_kernels(module)
    program = torch.onnx.export(
        module.eval(), arguments, dynamo=True, opset_version=18, dynamic_shapes=shapes, verbose=False
    )
    assert program is not None
    operators = {node.op_type for node in program.model_proto.graph.node}
    assert "MatMul" in operators
    assert not operators & {"DFT", "STFT", "Loop", "Scan", "If"}
    program.save(path)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def test_every_feature_exports(tmp_path: Path) -> None:
    every = Every()
    dynamic = torch.export.Dim.DYNAMIC
    arguments = (signal(2, 8_000), torch.tensor([8_000, 5_000]))
    session = exported(every, arguments, ({0: dynamic, 1: dynamic}, {0: dynamic}), tmp_path / "every.onnx")
    inputs = [given.name for given in session.get_inputs()]
    largest = dict.fromkeys(FEATURES, 0.0)
    for lengths in ([16_000], [12_345, 160, 4_800], [100, 1], [40_001, 40_001]):
        samples = signal(len(lengths), max(lengths), seed=len(lengths))
        given = dict(zip(inputs, (samples.numpy(), np.array(lengths, dtype=np.int64)), strict=True))
        expected = every(samples, torch.tensor(lengths))
        for (name, eager), ours in zip(expected.items(), session.run(None, given), strict=True):
            assert ours.shape == tuple(eager.shape)
            scale = max(1.0, eager.abs().max().item())
            largest[name] = max(largest[name], float(np.abs(ours - eager.numpy()).max()) / scale)
    for name, difference in largest.items():
        print(f"largest difference, {name}, exported from eager, of max(1, the largest): {difference:.2e}")
        assert difference < 1e-4


def test_the_stacked_vector_exports(tmp_path: Path) -> None:
    stacked, dynamic = StackedVector(), torch.export.Dim.DYNAMIC
    session = exported(stacked, (signal(2, 55_125),), ({0: dynamic},), tmp_path / "stacked.onnx")
    for batch in (1, 3):
        samples = signal(batch, 55_125, seed=batch)
        (ours,) = session.run(None, {session.get_inputs()[0].name: samples.numpy()})
        difference = np.abs(ours - stacked(samples).numpy()).max()
        print(f"largest difference, stacked vector, exported from eager: {difference:.2e}")
        assert difference < 1e-4


def test_importing_and_calling_leave_the_state_alone() -> None:
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    samples = signal(1, 4_000)
    before = samples.clone()
    for make in FEATURES.values():
        make()(samples)
    assert torch.equal(samples, before)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)
