"""Encoders of Hugging Face Transformers from a folder: tiny ones with random weights, made here."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from fabricate_encoder import POSITIONS, save
from vocemo.errors import MissingExtraError, UnknownNameError, UsageError
from vocemo.lab.models.encoders import ENCODERS
from vocemo.lab.models.encoders.local_transformers import LocalTransformers

KINDS = ("wav2vec2", "hubert", "wavlm", "whisper")


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = save(kind, tmp_path_factory.mktemp(kind) / f"tiny-{kind}")
        return made[kind]

    return folder


def built(folder: Path) -> LocalTransformers:
    options = LocalTransformers.described(None, folder)
    bands = 80 if options["config"]["model_type"] == "whisper" else 1
    encoder = ENCODERS["transformers"](channels=1, bands=bands, **options)
    assert isinstance(encoder, LocalTransformers)
    return encoder.eval()


def loaded(folder: Path) -> LocalTransformers:
    encoder = built(folder)
    encoder.load(folder)
    return encoder.eval()


def features_of(kind: str, *lengths: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise, zero past each clip's own as the front ends leave it; lengths in hundredths of a second."""
    scale, bands = (1, 80) if kind == "whisper" else (160, 1)
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(len(lengths), 1, bands, scale * max(lengths), generator=generator)
    own = scale * torch.tensor(lengths)
    past = torch.arange(features.shape[-1]) >= own[:, None]
    return torch.where(past[:, None, None, :], 0.0, features), own


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_alone_is_the_clip_in_a_padded_batch(kind: str, folder_of: Callable[[str], Path]) -> None:
    encoder = loaded(folder_of(kind))
    features, lengths = features_of(kind, 100, 10, 57, 98)
    with torch.inference_mode():
        together = encoder(features, lengths)
        for row, length in enumerate(lengths.tolist()):
            alone = encoder(features[row : row + 1, :, :, :length], lengths[row : row + 1])
            own = int(alone.frames[0])
            assert own == int(together.frames[row]) == alone.hidden.shape[-1]
            torch.testing.assert_close(together.hidden[row, ..., :own], alone.hidden[0], atol=1e-4, rtol=1e-4)
    assert together.hidden.shape[:3] == (4, encoder.layers, encoder.width) == (4, 3, 16)


def test_where_a_norm_runs_over_time_padding_is_heard_as_the_module_says(tmp_path: Path) -> None:
    group = {"feat_extract_norm": "group", "do_stable_layer_norm": False}
    encoder = loaded(save("wav2vec2", tmp_path / "group", **group))
    features, lengths = features_of("wav2vec2", 100, 30)
    with torch.inference_mode():
        together = encoder(features, lengths)
        alone = encoder(features[1:, :, :, : int(lengths[1])], lengths[1:])
    own = int(alone.frames[0])
    assert (together.hidden[1, ..., :own] - alone.hidden[0]).abs().max() > 1e-3
    assert "feat_extract_norm" in (__import__(encoder.__module__, fromlist=["x"]).__doc__ or "")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "whisper"])
def test_states_are_those_of_the_librarys_own_model(kind: str, folder_of: Callable[[str], Path]) -> None:
    model = transformers.AutoModel.from_pretrained(folder_of(kind), local_files_only=True).eval()
    features, lengths = features_of(kind, 90)
    with torch.inference_mode():
        theirs = model(features[:, 0, 0], output_hidden_states=True).hidden_states
        ours = loaded(folder_of(kind))(features, lengths)
    expected = torch.stack(theirs, 1).transpose(2, 3)
    torch.testing.assert_close(ours.hidden, expected, atol=1e-5, rtol=1e-5)
    assert ours.frames.tolist() == [expected.shape[-1]]


def test_states_of_a_full_window_are_those_of_whispers_own_encoder(folder_of: Callable[[str], Path]) -> None:
    model = transformers.WhisperModel.from_pretrained(folder_of("whisper"), local_files_only=True).eval()
    features, lengths = features_of("whisper", 2 * POSITIONS)
    with torch.inference_mode():
        theirs = model.encoder(features[:, 0], output_hidden_states=True)
        ours = loaded(folder_of("whisper"))(features, lengths)
    torch.testing.assert_close(
        ours.hidden[:, -1].transpose(1, 2), theirs.last_hidden_state, atol=1e-5, rtol=1e-5
    )
    for layer, state in enumerate(theirs.hidden_states[:-1]):
        torch.testing.assert_close(ours.hidden[:, layer].transpose(1, 2), state, atol=1e-5, rtol=1e-5)


def test_whisper_hears_no_longer_clip_than_it_was_made_for(folder_of: Callable[[str], Path]) -> None:
    features, lengths = features_of("whisper", 2 * POSITIONS + 1)
    with pytest.raises(UsageError, match="max_length_s=1 or less"):
        built(folder_of("whisper"))(features, lengths)


@pytest.mark.parametrize("kind", KINDS)
def test_training_draws_from_torchs_generator_alone(kind: str, folder_of: Callable[[str], Path]) -> None:
    """A run depends on its seed alone: dropout is torch's, and time masks, which are NumPy's, are off."""
    encoder = loaded(folder_of(kind)).train()
    features, lengths = features_of(kind, 100, 80)
    before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002 (it is read, not drawn from)
    answers = []
    for _ in range(2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            answers.append(encoder(features, lengths).hidden)
    assert torch.equal(*answers)
    assert np.array_equal(np.random.get_state()[1], before[0]) and random.getstate() == before[1]  # noqa: NPY002 (it is read, not drawn from)
    answers[0].sum().backward()
    learnt = [p for p in encoder.parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert len(learnt) > 20


@pytest.mark.parametrize("kind", KINDS)
def test_the_config_is_all_that_building_it_again_needs(
    kind: str, folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    encoder = loaded(folder_of(kind))
    config = LocalTransformers.described(None, folder_of(kind))["config"]
    assert str(folder_of(kind)) not in json.dumps(config)
    kept = json.loads(json.dumps(config))
    again = ENCODERS["transformers"](channels=1, bands=80 if kind == "whisper" else 1, config=kept)
    again.load_state_dict(encoder.state_dict())
    features, lengths = features_of(kind, 60)
    with torch.inference_mode():
        assert torch.equal(again.eval()(features, lengths).hidden, encoder(features, lengths).hidden)


def test_wrong_folders_are_answered_with_what_is_expected(
    folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"model\.weights=PATH"):
        LocalTransformers.described(None, None)
    with pytest.raises(UsageError, match="Nothing is downloaded"):
        LocalTransformers.described(None, tmp_path / "none")
    with pytest.raises(UsageError, match=r"front_end\.name=waveform"):
        ENCODERS["transformers"](
            channels=1, bands=128, **LocalTransformers.described(None, folder_of("wav2vec2"))
        )
    with pytest.raises(UsageError, match=r"front_end.name=whisper-mel and front_end.bands=80"):
        ENCODERS["transformers"](
            channels=1, bands=1, **LocalTransformers.described(None, folder_of("whisper"))
        )
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UnknownNameError, match="wav2vec2, hubert, wavlm, whisper"):
        LocalTransformers.described(None, tmp_path)
    (tmp_path / "config.json").write_text("[")
    with pytest.raises(UsageError, match="describes no encoder"):
        LocalTransformers.described(None, tmp_path)


def test_weights_that_are_a_pickle_or_lack_a_part_are_refused(
    folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    source = folder_of("hubert")
    (tmp_path / "config.json").write_text((source / "config.json").read_text())
    encoder = built(source)
    torch.save(encoder.encoder.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(UsageError, match="safetensors"):
        encoder.load(tmp_path)
    from safetensors.torch import load_file, save_file

    weights = load_file(source / "model.safetensors")
    lost = next(name for name in weights if "layers.1" in name)
    save_file(
        {name: value for name, value in weights.items() if name != lost},
        tmp_path / "model.safetensors",
        metadata={"format": "pt"},
    )
    with pytest.raises(UsageError, match=r"layers\.1"):
        encoder.load(tmp_path)


def test_without_the_library_the_extra_is_named(
    folder_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    described = LocalTransformers.described(None, folder_of("wavlm"))
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"vocemo\[encoders\]"):
        ENCODERS["transformers"](channels=1, bands=1, **described)
