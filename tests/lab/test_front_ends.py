"""Every front end of the registry: a clip is the same in any company, and statistics are training's alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import scipy.fft
import torch
from sklearn.preprocessing import StandardScaler
from torch import Tensor

import fabricate
import fabricate_run
from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab import front_ends
from vocemo.lab.corpora import Clip
from vocemo.lab.dataset import collate
from vocemo.lab.features import StackedVector
from vocemo.lab.front_ends import FRONT_ENDS
from vocemo.lab.waveforms import Waveforms

RATE_HZ = 16_000
SECONDS = (1.2, 0.1, 0.51, 0.97)
RATES_HZ = {"efficientat-mel": 32_000, "joined": 32_000}  # of those that take no other

# Those that a trained encoder stands behind: what they give is on the encoder's scale, and nothing is fitted.
GIVEN = ("efficientat-mel", "ge2e-mel", "waveform", "whisper-mel")

# Of these not every band is brought to mean 0 and variance 1 by itself: their tests are with the encoders'.
OTHERWISE = ("byol-s-mel", "joined")

# The stacked vector takes clips of one length alone, and has no time axis: its tests are its own, below.
ANY_LENGTH = [name for name in FRONT_ENDS if name != "stacked"]
every_front_end = pytest.mark.parametrize("name", ANY_LENGTH)
every_fitted = pytest.mark.parametrize(
    "name", [name for name in ANY_LENGTH if name not in GIVEN and name not in OTHERWISE]
)


@pytest.fixture(scope="module")
def voices() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    emotions = ("happy", "sad", "angry", "calm")
    return [
        fabricate.voice(emotion, n, bool(n % 2), rng, seconds=s)
        for n, (emotion, s) in enumerate(zip(emotions, SECONDS, strict=True))
    ]


def batch_of(voices: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    batch = collate(voices, [0] * len(voices), range(len(voices)))
    return batch.samples, batch.lengths


def build(name: str) -> Any:
    return front_ends.build(name, {}, sample_rate_hz=RATES_HZ.get(name, RATE_HZ))


def valid_frames(front_end: Any, voices: list[np.ndarray]) -> np.ndarray:
    """The frames of all clips but those of padding: (channels, bands, frames) float64."""
    with torch.no_grad():
        features, frames = front_end(*batch_of(voices))
    kept = [features[row, :, :, : int(frames[row])] for row in range(len(voices))]
    return torch.cat(kept, dim=2).double().numpy()


@every_front_end
def test_a_clip_alone_is_the_clip_in_a_padded_batch(name: str, voices: list[np.ndarray]) -> None:
    front_end = build(name)
    front_end.fit([batch_of(voices)])
    samples, lengths = batch_of(voices)
    samples = torch.nn.functional.pad(samples, (0, 3_000))
    past = torch.arange(samples.shape[1]) >= lengths[:, None]
    samples = torch.where(past, torch.randn(samples.shape), samples)  # what stands past an end is nothing
    with torch.inference_mode():
        together, frames = front_end(samples, lengths)
        for row, voice in enumerate(voices):
            alone, own = front_end(*batch_of([voice]))
            assert int(own[0]) == int(frames[row]) <= alone.shape[-1]
            found = together[row, :, :, : int(own[0])]
            torch.testing.assert_close(found, alone[0, :, :, : int(own[0])], atol=1e-4, rtol=1e-4)


@every_front_end
def test_shapes_are_those_that_models_are_built_for(name: str, voices: list[np.ndarray]) -> None:
    front_end = build(name)
    features, frames = front_end(*batch_of(voices))
    assert features.shape[:3] == (len(voices), front_end.channels, front_end.bands)
    assert features.shape[3] == front_end.frames(max(map(len, voices)))
    assert int(frames.max()) <= features.shape[3]
    assert torch.isfinite(features).all()


@every_fitted
def test_fitted_features_have_mean_0_and_variance_1_over_valid_frames(
    name: str, voices: list[np.ndarray]
) -> None:
    front_end = build(name)
    front_end.fit([batch_of(voices)])
    frames = valid_frames(front_end, voices)
    np.testing.assert_allclose(frames.mean(axis=2), 0.0, atol=1e-3)
    np.testing.assert_allclose(frames.var(axis=2), 1.0, atol=1e-3)


@every_front_end
@pytest.mark.parametrize(
    "split", [lambda v: [v[:1], v[1:]], lambda v: [v[::-1]], lambda v: [[each] for each in v]]
)
def test_statistics_do_not_depend_on_how_clips_are_put_together(
    name: str, voices: list[np.ndarray], split: Callable[[list[np.ndarray]], list[list[np.ndarray]]]
) -> None:
    at_once, in_parts = build(name), build(name)
    at_once.fit([batch_of(voices)])
    in_parts.fit([batch_of(part) for part in split(voices)])
    for key, value in at_once.state_dict().items():
        torch.testing.assert_close(in_parts.state_dict()[key], value, atol=1e-3, rtol=1e-4)


@every_front_end
def test_nothing_of_it_is_learnt_by_descent(name: str, voices: list[np.ndarray]) -> None:
    front_end = build(name)
    assert not [n for n, p in front_end.named_parameters() if p.requires_grad]
    if name in GIVEN:
        front_end.fit([batch_of(voices)])
        assert not front_end.state_dict()
    before = {key: value.clone() for key, value in front_end.state_dict().items()}
    front_end.train()
    front_end(*batch_of(voices))
    assert all(torch.equal(value, before[key]) for key, value in front_end.state_dict().items())


def test_statistics_of_a_run_are_those_of_its_training_clips(
    tiny_corpus: str, tiny_waveforms: Waveforms, tmp_path: Path
) -> None:
    recipe, fold = fabricate_run.recipe(), fabricate_run.fold(tiny_corpus)
    fabricate_run.run(tiny_corpus, fold, tmp_path, recipe, waveforms=tiny_waveforms)
    kept = fabricate_run.weights(tmp_path / "best.pt")

    def fitted(clips: tuple[Clip, ...]) -> dict[str, Tensor]:
        front_end = front_ends.build(
            recipe.front_end.name, recipe.front_end.options, sample_rate_hz=recipe.preparation.sample_rate
        )
        front_end.fit([batch_of([tiny_waveforms.clip(clip)]) for clip in clips])
        return {f"front_end.{key}": value for key, value in front_end.state_dict().items()}

    of_training = fitted(fold.train)
    assert of_training
    for key, value in of_training.items():
        torch.testing.assert_close(kept[key], value, atol=1e-3, rtol=1e-4)
    of_all = fitted(fold.train + fold.validation + fold.test)
    assert any((kept[key] - value).abs().max() > 0.01 for key, value in of_all.items())


def test_mfcc_mel_is_a_mel_spectrogram_in_db_and_its_cosine_transform(voices: list[np.ndarray]) -> None:
    front_end = front_ends.build("mfcc-mel", {"bands": 40}, sample_rate_hz=RATE_HZ)
    with torch.no_grad():
        features, frames = front_end(*batch_of(voices[:1]))
    coefficients, decibels = features[0, :, :, : int(frames[0])].double().numpy()
    expected = scipy.fft.dct(decibels, axis=0, norm="ortho")
    np.testing.assert_allclose(coefficients, expected, atol=1e-2)
    assert decibels.max() - decibels.min() > 20


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("mfcc-mel", {"band": 3}, UnknownNameError),
        ("mfccs", {}, UnknownNameError),
        ("mfcc-mel", {"bands": "many"}, UsageError),
        ("mfcc-mel", {"hop": 0}, UsageError),
    ],
)
def test_wrong_names_and_values_are_refused(
    name: str, options: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        front_ends.build(name, options, sample_rate_hz=RATE_HZ)


@pytest.mark.parametrize(("name", "bands"), [("mel", 129), ("mfcc", 41)])
def test_energy_is_one_band_more_the_rms_in_db(name: str, bands: int, voices: list[np.ndarray]) -> None:
    front_end = front_ends.build(name, {"energy": True, "hop": 256}, sample_rate_hz=RATE_HZ)
    assert front_end.bands == bands
    with torch.no_grad():
        features, frames = front_end(*batch_of(voices[:1]))
    found = features[0, 0, -1, : int(frames[0])].numpy()
    expected = librosa.amplitude_to_db(librosa.feature.rms(y=voices[0], hop_length=256)[0], top_db=80.0)
    np.testing.assert_allclose(found, expected, atol=1e-2)


@pytest.mark.parametrize("name", ["mel", "mfcc"])
def test_every_clip_has_the_width_that_is_asked_for(name: str, voices: list[np.ndarray]) -> None:
    front_end = front_ends.build(name, {"width": 24, "hop": 256}, sample_rate_hz=RATE_HZ)
    assert front_end.frames(None) == front_end.frames(9_999) == 24
    features, frames = front_end(*batch_of(voices))
    assert features.shape[3] == 24 and frames.tolist() == [24] * len(voices)
    free = front_ends.build(name, {"hop": 256}, sample_rate_hz=RATE_HZ)
    for row, voice in enumerate(voices):
        own, _ = free(*batch_of([voice]))
        resized = torch.nn.functional.interpolate(own[:, 0], size=24, mode="linear", align_corners=False)
        torch.testing.assert_close(features[row, 0], resized[0], atol=1e-3, rtol=1e-3)


def test_the_stacked_vector_is_standardised_number_by_number() -> None:
    rng = np.random.default_rng(5)
    voices = [fabricate.voice("happy", n, bool(n % 2), rng, seconds=2.0) for n in range(6)]
    batch = collate(voices, [0] * 6, range(6), 55_125)
    front_end = front_ends.build("stacked", {}, sample_rate_hz=22_050)
    front_end.fit([(batch.samples[:2], batch.lengths[:2]), (batch.samples[2:], batch.lengths[2:])])
    features, frames = front_end(batch.samples, batch.lengths)
    assert (
        features.shape == (6, 1, 1, 2_376) and frames.tolist() == [2_376] * 6 == [front_end.frames(None)] * 6
    )
    vectors = StackedVector()(batch.samples).double().numpy()
    expected = StandardScaler().fit_transform(vectors)
    moving = vectors.std(axis=0) > 1e-3  # the silence behind a clip does not vary: 0 and not blown up
    np.testing.assert_allclose(features[:, 0, 0, moving], expected[:, moving], atol=2e-3)
    assert (~moving).any() and features[:, 0, 0, ~moving].abs().max() < 0.5
    broken = batch.samples.clone()
    broken[0, 100] = torch.nan
    assert torch.isfinite(front_end(broken, batch.lengths)[0]).all()


def test_the_stacked_vector_refuses_another_rate() -> None:
    with pytest.raises(UsageError, match="22050 Hz"):
        front_ends.build("stacked", {}, sample_rate_hz=16_000)
