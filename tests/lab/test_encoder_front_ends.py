"""The front ends that trained encoders stand behind, against the equations of those who trained them."""

from __future__ import annotations

import copy

import librosa
import numpy as np
import pytest
import torch

import fabricate
from vocemo.errors import UsageError
from vocemo.lab import front_ends
from vocemo.lab.dataset import collate
from vocemo.lab.features import use_export_kernels
from vocemo.lab.network import pictured

Samples = np.ndarray


def voice(seconds: float, rate_hz: int) -> Samples:
    return fabricate.voice("happy", 1, True, np.random.default_rng(7), seconds=seconds, sample_rate=rate_hz)


def mel(hz: np.ndarray) -> np.ndarray:
    return 1127.0 * np.log(1.0 + hz / 700.0)


def of_efficientat(samples: Samples) -> Samples:
    """The published front end of EfficientAT in double precision: (128, frames)."""
    emphasised = samples[1:].astype(float) - 0.97 * samples[:-1].astype(float)
    padded = np.pad(emphasised, 512, mode="reflect")
    n = np.arange(800)
    window = np.pad(0.5 - 0.5 * np.cos(2 * np.pi * n / 799), 112)  # symmetric: the last sample is the first
    frames = np.array([padded[t * 320 : t * 320 + 1024] * window for t in range(1 + len(emphasised) // 320)])
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.linspace(0.0, mel(np.array(15_000.0)), 130)
    bins = mel(np.arange(512) * 32_000 / 1024)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    filters = np.maximum(np.minimum(rising, falling), 0.0)
    bands = filters @ power[:, :512].T
    return (np.log(bands + 1e-5) + 4.5) / 5.0


@pytest.mark.parametrize("seconds", [0.1, 0.5, 1.237])
def test_efficientat_mel_is_the_published_front_end(seconds: float) -> None:
    samples = voice(seconds, 32_000)
    front_end = front_ends.build("efficientat-mel", {}, sample_rate_hz=32_000)
    batch = collate([samples], [0], [0])
    expected = of_efficientat(samples)
    exported = copy.deepcopy(front_end)
    use_export_kernels(exported)
    for each in (front_end, exported):
        found, frames = each(batch.samples, batch.lengths)
        assert frames.tolist() == [expected.shape[1]] == [front_end.frames(len(samples))]
        np.testing.assert_allclose(found[0, 0].numpy(), expected, atol=1e-4)
    assert np.ptp(expected) > 1.0


def of_byol_s(samples: Samples, low_hz: float = 60.0, high_hz: float = 7_800.0) -> Samples:
    """The logarithms that BYOL-S was trained on, in double precision: (64, frames)."""
    padded = np.pad(samples.astype(float), 512, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    frames = np.array([padded[t * 160 : t * 160 + 1024] * window for t in range(1 + len(samples) // 160)])
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    filters = librosa.filters.mel(
        sr=16_000, n_fft=1024, n_mels=64, fmin=low_hz, fmax=high_hz, htk=True, norm=None, dtype=float
    )
    return np.log(filters @ power.T + np.finfo(np.float32).eps)


def test_byol_s_mel_is_the_published_front_end_with_one_scale_for_all_bands() -> None:
    voices = [voice(seconds, 16_000) for seconds in (0.2, 0.731, 1.5)]
    front_end = front_ends.build("byol-s-mel", {}, sample_rate_hz=16_000)
    batch = collate(voices, [0] * 3, range(3))
    front_end.fit([(batch.samples, batch.lengths), (batch.samples[:1], batch.lengths[:1])])
    expected = [of_byol_s(each) for each in voices]
    heard = np.concatenate([*expected, expected[0]], axis=1)
    exported = copy.deepcopy(front_end)
    use_export_kernels(exported)
    for each in (front_end, exported):
        found, frames = each(batch.samples, batch.lengths)
        assert frames.tolist() == [one.shape[1] for one in expected]
        assert frames.tolist() == [front_end.frames(len(one)) for one in voices]
        for row, one in enumerate(expected):
            own = found[row, 0, :, : one.shape[1]].numpy()
            np.testing.assert_allclose(own, (one - heard.mean()) / heard.std(), atol=2e-4)
            assert not found[row, 0, :, one.shape[1] :].any()


@pytest.mark.parametrize("gain_db", [0.0, -4.0])
def test_ge2e_mel_is_the_logarithm_of_what_resemblyzer_takes(gain_db: float) -> None:
    voices = [voice(seconds, 16_000) for seconds in (0.2, 0.731, 1.5)]
    front_end = front_ends.build("ge2e-mel", {"gain_db": gain_db}, sample_rate_hz=16_000)
    batch = collate(voices, [0] * 3, range(3))
    exported = copy.deepcopy(front_end)
    use_export_kernels(exported)
    for each in (front_end, exported):
        found, frames = each(batch.samples, batch.lengths)
        assert frames.tolist() == [front_end.frames(len(one)) for one in voices]
        for row, one in enumerate(voices):
            louder = one.astype(float) * 10 ** (gain_db / 20)
            power = librosa.feature.melspectrogram(y=louder, sr=16_000, n_fft=400, hop_length=160, n_mels=40)
            assert frames[row] == power.shape[1]
            own = found[row, 0, :, : power.shape[1]].numpy()
            np.testing.assert_allclose(own, (np.log(power + 1e-7) + 6) / 3, atol=2e-3)
            assert not found[row, 0, :, power.shape[1] :].any()


def test_ranges_are_pictures_one_above_the_other_of_one_scale() -> None:
    voices = [voice(seconds, 16_000) for seconds in (0.2, 0.731)]
    front_end = front_ends.build(
        "byol-s-mel", {"ranges_hz": [[60, 7_800], [60, 1_600]]}, sample_rate_hz=16_000
    )
    assert front_end.bands == 128 and front_end.pictures == (slice(0, 64), slice(64, 128))
    batch = collate(voices, [0] * 2, range(2))
    front_end.fit([(batch.samples, batch.lengths)])
    expected = [np.concatenate([of_byol_s(each), of_byol_s(each, 60.0, 1_600.0)]) for each in voices]
    heard = np.concatenate(expected, axis=1)
    found, frames = front_end(batch.samples, batch.lengths)
    for row, one in enumerate(expected):
        assert frames[row] == one.shape[1]
        own = found[row, 0, :, : one.shape[1]].numpy()
        np.testing.assert_allclose(own, (one - heard.mean()) / heard.std(), atol=2e-4)


@pytest.mark.parametrize("ranges_hz", [[], [[60]], [[7_800, 60]], [[60, 9_000]], [["low", "high"]], 5])
def test_ranges_that_are_none_are_refused(ranges_hz: object) -> None:
    with pytest.raises(UsageError, match=r"ranges_hz is .* a list of ranges"):
        front_ends.build("byol-s-mel", {"ranges_hz": ranges_hz}, sample_rate_hz=16_000)


def test_joined_pictures_are_those_of_its_members() -> None:
    members = [{"name": "efficientat-mel"}, {"name": "byol-s-mel", "ranges_hz": [[60, 7_800], [60, 1_600]]}]
    front_end = front_ends.build("joined", {"members": members}, sample_rate_hz=32_000)
    assert front_end.parts == (slice(0, 128), slice(128, 256))
    assert front_end.pictures == (slice(0, 128), slice(128, 192), slice(192, 256))


def test_a_scale_that_is_given_to_byol_s_mel_is_kept_whatever_it_hears() -> None:
    samples = voice(0.731, 16_000)
    front_end = front_ends.build("byol-s-mel", {"mean": -3.0, "deviation": 2.5}, sample_rate_hz=16_000)
    batch = collate([samples], [0], [0])
    for _ in range(2):
        found, _ = front_end(batch.samples, batch.lengths)
        np.testing.assert_allclose(found[0, 0].numpy(), (of_byol_s(samples) + 3.0) / 2.5, atol=2e-4)
        front_end.fit([(batch.samples, batch.lengths)])


@pytest.mark.parametrize("options", [{"mean": 1.0}, {"deviation": 1.0}, {"mean": 1.0, "deviation": 0.0}])
def test_half_a_scale_and_none_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=r"mean .*deviation .*both"):
        front_ends.build("byol-s-mel", options, sample_rate_hz=16_000)


def test_byol_s_mel_at_twice_the_rate_hears_the_same_bands() -> None:
    # Tones and their overtones, the same at either rate but for what lies above 8 kHz.
    def tones(rate_hz: int) -> Samples:
        t = np.arange(rate_hz) / rate_hz
        said = sum(np.sin(2 * np.pi * hz * t + hz) / hz for hz in (110, 230, 470, 990, 2100, 4300, 7000))
        return (20 * said).astype(np.float32)

    found = []
    for rate_hz in (16_000, 32_000):
        front_end = front_ends.build("byol-s-mel", {}, sample_rate_hz=rate_hz)
        batch = collate([tones(rate_hz)], [0], [0])
        features, frames = front_end(batch.samples, batch.lengths)
        assert frames.tolist() == [101]
        found.append(features[0, 0, :, 5:-5].numpy())
    loud = found[0] > found[0].max() - 10  # nepers of power; far below, what is heard is rounding
    np.testing.assert_allclose(found[1][loud], found[0][loud], atol=0.02)
    assert loud.mean() > 0.2


JOINED = [
    {"name": "efficientat-mel"},
    {"name": "byol-s-mel"},
    {"name": "mel", "n_fft": 1024, "hop": 320, "bands": 20},
]


def test_joined_front_ends_give_what_each_gives_one_above_the_other() -> None:
    voices = [voice(seconds, 32_000) for seconds in (0.2, 0.731, 1.5)]
    batch = collate(voices, [0] * 3, range(3))
    joined = front_ends.build("joined", {"members": JOINED}, sample_rate_hz=32_000)
    joined.fit([(batch.samples, batch.lengths)])
    assert joined.bands == 128 + 64 + 20
    exported = copy.deepcopy(joined)
    use_export_kernels(exported)
    for each in (joined, exported):
        found, frames = each(batch.samples, batch.lengths)
        for table, part in zip(JOINED, joined.parts, strict=True):
            options = {key: value for key, value in table.items() if key != "name"}
            alone = front_ends.build(table["name"], options, sample_rate_hz=32_000)
            alone.fit([(batch.samples, batch.lengths)])
            expected, own = alone(batch.samples, batch.lengths)
            for row, count in enumerate(frames.tolist()):
                assert count in (int(own[row]), int(own[row]) - 1)
                np.testing.assert_allclose(
                    found[row, :, part, :count].numpy(), expected[row, :, :, :count].numpy(), atol=2e-4
                )
                assert not found[row, :, :, count:].any()
        assert frames.tolist() == [joined.frames(len(each)) for each in voices]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([], "a list of tables"),
        ("mel", "a list of tables"),
        (["mel"], "a table with a name"),
        ([{"name": "joined"}], "not joined again"),
        ([{"name": "mfcc-mel"}], "gives 2 channels"),
        ([{"name": "efficientat-mel"}, {"name": "mel", "hop": 200}], "as many frames a second"),
        ([{"name": "mel", "hop": 320}, {"name": "mel", "width": 64}], "as many frames a second"),
    ],
)
def test_what_cannot_be_joined_is_said(members: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        front_ends.build("joined", {"members": members}, sample_rate_hz=32_000)


@pytest.mark.parametrize("normalise", [True, False])
def test_a_waveform_has_mean_0_and_variance_1_over_its_own_samples(normalise: bool) -> None:
    voices = [voice(seconds, 16_000) + np.float32(0.1) for seconds in (0.3, 1.0, 0.11)]
    front_end = front_ends.build("waveform", {"normalise": normalise}, sample_rate_hz=16_000)
    batch = collate(voices, [0] * 3, range(3))
    found, frames = front_end(batch.samples, batch.lengths)
    assert frames.tolist() == [len(each) for each in voices]
    for row, each in enumerate(voices):
        expected = (each - each.mean()) / np.sqrt(each.var() + 1e-7) if normalise else each
        np.testing.assert_allclose(found[row, 0, 0, : len(each)].numpy(), expected, atol=1e-4)
        assert not found[row, 0, 0, len(each) :].any()


def test_samples_stand_in_blocks_beside_pictures_and_are_none() -> None:
    lengths = (160, 4_800, 15_999)  # whole blocks, and not
    voices = [voice(1.0, 16_000)[:length] for length in lengths]
    batch = collate(voices, [0] * 3, range(3))
    samples = {"name": "waveform", "normalise": False, "block": 160}
    front_end = front_ends.build(
        "joined",
        {"members": [samples, {"name": "byol-s-mel", "ranges_hz": [[60, 7_800], [60, 1_600]]}]},
        sample_rate_hz=16_000,
    )
    found, frames = front_end(batch.samples, batch.lengths)
    assert front_end.parts == (slice(0, 160), slice(160, 288))
    assert front_end.pictures == (slice(160, 224), slice(224, 288))
    assert (
        frames.tolist() == [1 + length // 160 for length in lengths] == [front_end.frames(n) for n in lengths]
    )
    for row, each in enumerate(voices):
        heard = found[row, 0, :160].T.reshape(-1).numpy()
        np.testing.assert_array_equal(heard[: len(each)], each)
        assert not heard[len(each) :].any()
    seen = pictured(found, front_end.pictures)
    torch.testing.assert_close(seen, found[:, :, 160:], atol=0, rtol=0)
    assert pictured(found, ()) is found is pictured(found, front_end.parts)


@pytest.mark.parametrize("block", [0, -160])
def test_blocks_that_are_none_are_refused(block: int) -> None:
    with pytest.raises(UsageError, match=r"front_end.block is .* 1 or more"):
        front_ends.build("waveform", {"block": block}, sample_rate_hz=16_000)


@pytest.mark.parametrize("bands", [80, 128])
@pytest.mark.parametrize("seconds", [0.1, 0.7, 1.2345])
def test_whisper_mel_is_what_whisper_makes_of_the_clips_own_frames(seconds: float, bands: int) -> None:
    import transformers

    theirs = transformers.WhisperFeatureExtractor(feature_size=bands)
    samples = voice(seconds, 16_000)
    front_end = front_ends.build("whisper-mel", {"bands": bands}, sample_rate_hz=16_000)
    batch = collate([samples], [0], [0])
    found, frames = front_end(batch.samples, batch.lengths)
    own = -(-len(samples) // 160)
    assert frames.tolist() == [own] == [front_end.frames(len(samples))]
    expected = theirs(samples, sampling_rate=16_000, return_tensors="np").input_features[0]
    assert expected.shape == (bands, 3_000)
    np.testing.assert_allclose(found[0, 0].numpy(), expected[:, :own], atol=1e-4)


@pytest.mark.parametrize(
    ("name", "rate_hz"),
    [("byol-s-mel", 16_000), ("efficientat-mel", 32_000), ("waveform", 16_000), ("whisper-mel", 16_000)],
)
def test_another_rate_is_refused_by_name(name: str, rate_hz: int) -> None:
    with pytest.raises(UsageError, match=f"preparation.sample_rate={rate_hz}"):
        front_ends.build(name, {}, sample_rate_hz=22_050)
