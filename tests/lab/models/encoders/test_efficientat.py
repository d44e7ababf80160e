"""EfficientAT's encoder against its own state dict, read by a plain pass over the published table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from vocemo import audio
from vocemo.errors import UsageError
from vocemo.lab import front_ends
from vocemo.lab.models.encoders import ENCODERS, Encoder

# Howard et al. 2019, table 1, channels at width 0.4: kernel, inside, widened, out, excited, swish, stride.
TABLE = (
    (3, 8, 8, 8, False, False, 1),
    (3, 8, 24, 16, False, False, 2),
    (3, 16, 32, 16, False, False, 1),
    (5, 16, 32, 16, True, False, 2),
    (5, 16, 48, 16, True, False, 1),
    (5, 16, 48, 16, True, False, 1),
    (3, 16, 96, 32, False, True, 2),
    (3, 32, 80, 32, False, True, 1),
    (3, 32, 72, 32, False, True, 1),
    (3, 32, 72, 32, False, True, 1),
    (3, 32, 192, 48, True, True, 1),
    (3, 48, 272, 48, True, True, 1),
    (5, 48, 272, 64, True, True, 2),
    (5, 64, 384, 64, True, True, 1),
    (5, 64, 384, 64, True, True, 1),
)
PUBLISHED = "mn04_as_mAP_432.pt"


def encoder_of(seed: int = 0) -> Encoder:
    """An encoder whose weights and moving statistics are all away from where they start."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = ENCODERS["efficientat-mn04"](channels=1, bands=128)
        for name, tensor in encoder.state_dict().items():
            if "running" in name or name.endswith("bias"):
                tensor.add_(0.2 * torch.rand_like(tensor))
    return encoder.eval()


def plainly(state: dict[str, Tensor], x: Tensor) -> list[Tensor]:
    """Every layer's output for one clip, without a mask."""

    def convolve(at: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
        kernel = state[f"{at}.0.weight"]
        x = functional.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2, groups=groups)
        moments = state[f"{at}.1.running_mean"], state[f"{at}.1.running_var"]
        return functional.batch_norm(x, *moments, state[f"{at}.1.weight"], state[f"{at}.1.bias"], eps=1e-3)

    outputs = [functional.hardswish(convolve("features.0", x, stride=2))]
    for number, (_, inside, widened, out, excited, swish, stride) in enumerate(TABLE, start=1):
        kind = functional.hardswish if swish else functional.relu
        x, step = outputs[-1], 0
        if widened != inside:
            x, step = kind(convolve(f"features.{number}.block.0", x)), 1
        x = kind(convolve(f"features.{number}.block.{step}", x, stride, groups=widened))
        if excited:
            step += 1
            at = f"features.{number}.block.{step}"
            squeezed = x.mean((2, 3)) @ state[f"{at}.fc1.weight"].T + state[f"{at}.fc1.bias"]
            scale = squeezed.relu() @ state[f"{at}.fc2.weight"].T + state[f"{at}.fc2.bias"]
            x = x * scale.sigmoid()[:, :, None, None]
        x = convolve(f"features.{number}.block.{step + 1}", x)
        outputs.append(x + outputs[-1] if stride == 1 and inside == out else x)
    return [*outputs, functional.hardswish(convolve("features.16", outputs[-1]))]


@pytest.mark.parametrize("frames", [1, 31, 64, 101])
def test_its_states_are_means_of_the_published_networks_outputs(frames: int) -> None:
    encoder = encoder_of()
    generator = torch.Generator().manual_seed(frames)
    features = torch.randn(1, 1, 128, frames, generator=generator)
    with torch.inference_mode():
        hidden, own = encoder(features, torch.tensor([frames]))
        outputs = [output.mean(2) for output in plainly(encoder.state_dict(), features)[3:]]
    last = -(-frames // 32)
    assert own.tolist() == [last]
    assert hidden.shape == (1, 1, encoder.width, last) == (1, 1, 864, last)
    rates = [4] + [8] * 3 + [16] * 6 + [32] * 4  # input frames to one of layers 3 to 16
    for frame in range(last):
        stretches = [
            output[0, :, frame * 32 // rate : (frame + 1) * 32 // rate].mean(1)
            for output, rate in zip(outputs, rates, strict=True)
        ]
        torch.testing.assert_close(hidden[0, 0, :, frame], torch.cat(stretches), atol=1e-4, rtol=1e-4)


def test_the_state_dict_is_used_whole(weights_dir: Path) -> None:
    given = torch.load(weights_dir / PUBLISHED, weights_only=True)
    encoder = ENCODERS["efficientat-mn04"](channels=1, bands=128)
    encoder.load(weights_dir / PUBLISHED)
    for name in [f"classifier.{n}.{kind}" for n in (2, 5) for kind in ("weight", "bias")]:
        del given[name]
    kept = encoder.state_dict()
    renamed = {name.replace("conc_se_layers.0.", ""): value for name, value in given.items()}
    assert len(renamed) == len(given)
    assert renamed.keys() == kept.keys()
    assert all(torch.equal(kept[name], renamed[name]) for name in kept)


def test_real_speech_is_tagged_as_speech(weights_dir: Path, corpora_dir: Path) -> None:
    """With the published classifier behind it, the first of AudioSet's 527 tags, Speech, stands above all."""
    given = torch.load(weights_dir / PUBLISHED, weights_only=True)
    encoder = ENCODERS["efficientat-mn04"](channels=1, bands=128).eval()
    encoder.load(weights_dir / PUBLISHED)
    front_end = front_ends.build("efficientat-mel", {}, sample_rate_hz=32_000)
    paths = sorted(corpora_dir.glob("ravdess/*Speech*/Actor_0[1-6]/03-01-05-01-01-01-*.flac"))
    assert len(paths) == 6
    for path in paths:
        clip = audio.decode(path)
        samples = torch.from_numpy(audio.resample(clip.samples, clip.sample_rate, 32_000))[None]
        with torch.inference_mode():
            states = encoder(*front_end(samples, torch.tensor([samples.shape[1]])))
            pooled = states.hidden[0, 0, -384:].mean(1)
            inner = functional.hardswish(given["classifier.2.weight"] @ pooled + given["classifier.2.bias"])
            tags = torch.sigmoid(given["classifier.5.weight"] @ inner + given["classifier.5.bias"])
        assert int(tags.argmax()) == 0 and float(tags[0]) > 0.5, (path.name, float(tags[0]))


def test_what_is_no_state_dict_of_it_is_refused(tmp_path: Path) -> None:
    encoder = encoder_of()
    other = {**encoder.state_dict(), "features.0.0.weight": torch.zeros(8, 2, 3, 3)}
    torch.save(other, tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    (tmp_path / "text.pt").write_text("no weights")
    for name, said in (
        ("other.pt", "size mismatch"),
        ("list.pt", "is not"),
        ("text.pt", "is not"),
        ("none.pt", "no weights at"),
    ):
        with pytest.raises(UsageError, match=said) as caught:
            encoder.load(tmp_path / name)
        assert PUBLISHED in str(caught.value)


def test_a_pickle_that_would_run_code_is_not_opened(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"features.0.0.weight": Harmful()}, tmp_path / "harmful.pt")
    with pytest.raises(UsageError, match="can run code") as caught:
        encoder_of().load(tmp_path / "harmful.pt")
    assert "weights_only" not in str(caught.value)  # nobody is advised to run it
    assert not (tmp_path / "ran").exists()


def test_features_of_another_shape_are_answered_with_the_front_end() -> None:
    with pytest.raises(UsageError, match=r"front_end\.name=efficientat-mel"):
        ENCODERS["efficientat-mn04"](channels=2, bands=128)


def test_its_first_weights_are_small_enough_to_learn_from() -> None:
    """A network that begins from nothing neither vanishes nor explodes on the way."""
    encoder = ENCODERS["efficientat-mn04"](channels=1, bands=128).train()
    states = encoder(torch.randn(4, 1, 128, 200), torch.full((4,), 200)).hidden
    assert 1e-3 < float(np.abs(states.detach().numpy()).mean()) < 100


def test_statistics_that_training_leaves_as_they_are_give_the_same_states_and_slopes() -> None:
    encoder = ENCODERS["efficientat-mn04"](channels=1, bands=128)
    random = torch.Generator().manual_seed(0)
    norms = [m for m in encoder.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.running_mean.copy_(torch.randn(norm.num_features, generator=random))
        norm.running_var.copy_(torch.rand(norm.num_features, generator=random) + 0.5)
        norm.weight.data = 1 + 0.2 * torch.randn(norm.num_features, generator=random)
        norm.bias.data = 0.2 * torch.randn(norm.num_features, generator=random)
    encoder = encoder.double()
    features = torch.randn(2, 1, 128, 60, generator=random, dtype=torch.float64)
    frames = torch.tensor([60, 41])

    def answered() -> tuple[Tensor, list[Tensor]]:
        hidden = encoder(features, frames).hidden
        return hidden, list(torch.autograd.grad(hidden.square().mean(), list(encoder.parameters())))

    encoder.eval()  # module after module
    expected, slopes = answered()
    encoder.train()
    for norm in norms:
        norm.eval()
    hidden, folded = answered()
    torch.testing.assert_close(hidden, expected)
    for slope, one in zip(slopes, folded, strict=True):
        torch.testing.assert_close(one, slope)


def test_its_first_stages_alone_say_what_they_say_within_the_whole(tmp_path: Path) -> None:
    whole = encoder_of()
    saved = tmp_path / "mn04.pt"
    torch.save({**whole.state_dict(), "classifier.2.weight": torch.zeros(3, 3)}, saved)
    first = ENCODERS["efficientat-mn04"](channels=1, bands=128, depth=14).eval()
    first.load(saved)
    features, lengths = torch.randn(2, 1, 128, 90), torch.tensor([90, 61])
    with torch.inference_mode():
        expected, found = whole(features, lengths), first(features, lengths)
    torch.testing.assert_close(found.hidden, expected.hidden[:, :, : first.width])
    assert torch.equal(found.frames, expected.frames)
    assert (first.width, len(first.stages())) == (352, 14)
    assert (
        0.4 < sum(p.numel() for p in first.parameters()) / sum(p.numel() for p in whole.parameters()) < 0.45
    )


@pytest.mark.parametrize("depth", [3, 18, 14.0, True])
def test_a_depth_that_it_has_not(depth: object) -> None:
    with pytest.raises(UsageError, match="4 to 17"):
        ENCODERS["efficientat-mn04"](channels=1, bands=128, depth=depth)
