"""Preparation against its equations, librosa, and properties that hold for any recording."""

from __future__ import annotations

import builtins
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recordings import tone
from vocemo.audio import decode, resample
from vocemo.errors import (
    AudioError,
    EmptyAudioError,
    MissingExtraError,
    NonFiniteAudioError,
    TooShortAudioError,
    UnknownNameError,
    UsageError,
)
from vocemo.prepare import SILENCE_DBFS, Preparation, prepare, trim_bounds, windows
from vocemo.prepare.signal import HOPS_A_FRAME, frame_rms, hop_samples

RATE_HZ = 16_000
PLAIN = Preparation(remove_dc=False)

recordings = st.integers(1_600, 40_000).flatmap(
    lambda n: st.builds(
        lambda seed, gain_db, dc: (
            np.random.default_rng(seed).standard_normal(n) * 10 ** (gain_db / 20) + dc
        ).astype(np.float32),
        st.integers(0, 2**32 - 1),
        st.floats(-60.0, 0.0),
        st.floats(-0.5, 0.5),
    )
)
preparations = st.builds(
    Preparation,
    sample_rate=st.sampled_from([8_000, 16_000, 22_050]),
    remove_dc=st.booleans(),
    trim_below_peak_db=st.none() | st.floats(1.0, 80.0),
    level=st.sampled_from(["peak", "rms", "none"]),
    level_db=st.floats(-40.0, 0.0),
    offset_s=st.sampled_from([0.0, 0.01]),
    length_s=st.none() | st.floats(0.05, 4.0),
    crop=st.sampled_from(["start", "centre"]),
    min_length_s=st.floats(0.0, 0.05),
)


def speech_like(before_s: float = 0.5, after_s: float = 0.7) -> np.ndarray:
    """A tone between faint noise, as a voice stands in a recording."""
    rng = np.random.default_rng(0)
    x = 1e-4 * rng.standard_normal(round((before_s + 1.0 + after_s) * RATE_HZ))
    start = round(before_s * RATE_HZ)
    x[start : start + RATE_HZ] += tone(1.0, RATE_HZ)
    return x.astype(np.float32)


# --- options --------------------------------------------------------------------------------------


@given(preparations)
def test_options_survive_json(options: Preparation) -> None:
    assert Preparation.from_dict(json.loads(json.dumps(options.to_dict()))) == options


def test_whole_numbers_are_the_same_options() -> None:
    given_whole = Preparation.from_dict({"length_s": 3, "level_db": -20})
    assert json.dumps(given_whole.to_dict()) == json.dumps(
        Preparation(length_s=3.0, level_db=-20.0).to_dict()
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lenght_s": 3.0}, "did you mean 'length_s'"),
        ({"level": "loud"}, "peak, rms, none"),
        ({"noise_reduction": "yes"}, "stationary"),
        ({"crop": "center"}, "did you mean 'centre'"),
    ],
)
def test_unknown_names_are_answered_with_the_right_ones(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        Preparation.from_dict(options)


@pytest.mark.parametrize(
    "options",
    [
        {"sample_rate": 0},
        {"sample_rate": "16k"},
        {"length_s": 0.0},
        {"length_s": "three"},
        {"length_s": True},
        {"level_db": 3.0},
        {"level_db": float("nan")},
        {"offset_s": -1.0},
        {"trim_below_peak_db": -40.0},
        {"min_length_s": float("inf")},
        {"min_length_s": 20.0},
        {"max_length_s": 0.0},
        {"remove_dc": "no"},
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(options)).replace("min_length_s", "_length_s")):
        Preparation.from_dict(options)


# --- each step by its equation --------------------------------------------------------------------


def test_dc_is_removed() -> None:
    x = tone() + np.float32(0.25)
    np.testing.assert_allclose(prepare(x, RATE_HZ, Preparation()).samples, x - x.mean(), atol=1e-6)
    assert np.array_equal(prepare(x, RATE_HZ, PLAIN).samples, x)


@pytest.mark.parametrize("level_db", [-26.0, -3.0, 0.0])
def test_levels(level_db: float) -> None:
    x = tone() * np.float32(0.01)
    by_peak = prepare(x, RATE_HZ, Preparation(level="peak", level_db=level_db)).samples
    assert 20 * np.log10(np.abs(by_peak).max()) == pytest.approx(level_db, abs=1e-3)
    by_rms = prepare(x, RATE_HZ, Preparation(level="rms", level_db=level_db)).samples
    assert 10 * np.log10(np.mean(by_rms.astype(np.float64) ** 2)) == pytest.approx(level_db, abs=1e-3)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100])
@pytest.mark.parametrize("samples", [1, 127, 128, 129, 512, 10_000, 48_123])
def test_frame_rms_is_that_of_librosa(rate: int, samples: int) -> None:
    import librosa

    x = np.random.default_rng(samples).standard_normal(samples).astype(np.float32)
    hop = hop_samples(rate)
    theirs = librosa.feature.rms(y=x, frame_length=HOPS_A_FRAME * hop, hop_length=hop, center=True)[0]
    np.testing.assert_allclose(frame_rms(x, rate), theirs, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("below_peak_db", [20.0, 30.0, 40.0, 60.0])
@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_trim_is_that_of_librosa(below_peak_db: float, rate: int) -> None:
    import librosa

    hop = hop_samples(rate)
    for before_s, after_s in ((0.5, 0.7), (0.0, 0.3), (0.31, 0.0), (0.0, 0.0)):
        x = speech_like(before_s, after_s)
        _, bounds = librosa.effects.trim(
            x, top_db=below_peak_db, frame_length=HOPS_A_FRAME * hop, hop_length=hop
        )
        assert trim_bounds(frame_rms(x, rate), rate, below_peak_db, len(x)) == tuple(bounds)


def test_trim_of_real_recordings_is_that_of_librosa(corpora_dir: Path) -> None:
    import librosa

    paths = sorted((corpora_dir / "ravdess").glob("*/Actor_01/*.flac"))[::10]
    assert paths
    for path in paths:
        audio = decode(path)
        hop = hop_samples(audio.sample_rate)
        x = audio.samples - audio.samples.mean()
        _, (start, stop) = librosa.effects.trim(x, top_db=40, frame_length=HOPS_A_FRAME * hop, hop_length=hop)
        ready = prepare(audio.samples, audio.sample_rate, Preparation(trim_below_peak_db=40.0))
        np.testing.assert_allclose(ready.samples, x[start:stop], atol=1e-6)


def test_trim_keeps_the_voice_and_little_else() -> None:
    ready = prepare(speech_like(), RATE_HZ, Preparation(trim_below_peak_db=40.0))
    assert 0.95 < ready.length / RATE_HZ < 1.1


def test_trim_leaves_the_shortest_length_that_is_needed() -> None:
    x = np.zeros(RATE_HZ, np.float32)
    x[8_000] = 0.9
    ready = prepare(x, RATE_HZ, Preparation(trim_below_peak_db=20.0, min_length_s=0.5))
    assert ready.length == RATE_HZ // 2
    assert np.abs(ready.samples).max() > 0.8


def test_offset_is_cut_first_and_length_pads_or_crops() -> None:
    x = tone(2.0, RATE_HZ)
    ready = prepare(x, RATE_HZ, Preparation(remove_dc=False, offset_s=0.6, length_s=2.5, crop="start"))
    assert ready.samples.shape == (40_000,) and ready.length == round(1.4 * RATE_HZ)
    assert np.array_equal(ready.samples[: ready.length], x[9_600:])
    assert not ready.samples[ready.length :].any()
    start = prepare(x, RATE_HZ, Preparation(remove_dc=False, length_s=0.5, crop="start"))
    centre = prepare(x, RATE_HZ, Preparation(remove_dc=False, length_s=0.5))
    assert np.array_equal(start.samples, x[:8_000]) and start.length == 8_000
    assert np.array_equal(centre.samples, x[12_000:20_000])


def test_offset_and_length_are_those_of_librosa_load(tmp_path: Path) -> None:
    import librosa
    import soundfile

    soundfile.write(tmp_path / "a.wav", tone(4.0, 48_000), 48_000, "FLOAT")
    theirs, _ = librosa.load(tmp_path / "a.wav", sr=22_050, offset=0.6, duration=2.5)
    audio = decode(tmp_path / "a.wav")
    options = Preparation(sample_rate=22_050, remove_dc=False, offset_s=0.6, length_s=2.5, crop="start")
    ours = prepare(audio.samples, audio.sample_rate, options).samples
    # librosa cuts the end before it resamples, vocemo after: the last samples differ by the filter's edge.
    np.testing.assert_allclose(ours[:-300], theirs[: len(ours) - 300], atol=1e-4)


def test_resampling_here_is_resampling_while_decoding(tmp_path: Path) -> None:
    from vocemo.audio import write

    write(tmp_path / "a.wav", tone(1.0, 48_000), 48_000)
    audio = decode(tmp_path / "a.wav")
    ready = prepare(audio.samples, 48_000, Preparation(remove_dc=False))
    assert np.array_equal(ready.samples, decode(tmp_path / "a.wav", RATE_HZ).samples)
    assert np.array_equal(ready.samples, resample(audio.samples, 48_000, RATE_HZ))


@pytest.mark.parametrize("how", ["stationary", "nonstationary"])
def test_noise_reduction_raises_the_signal_over_the_noise(how: str) -> None:
    rng = np.random.default_rng(7)
    x = np.zeros(3 * RATE_HZ, np.float32)
    pitch_hz = rng.uniform(200, 3_000, 25).repeat(
        RATE_HZ // 25
    )  # a held tone would itself be taken for noise
    x[RATE_HZ : 2 * RATE_HZ] = 0.1 * np.sin(2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ)
    x += 0.01 * rng.standard_normal(len(x)).astype(np.float32)
    options = Preparation.from_dict({"noise_reduction": how})
    ready = prepare(x, RATE_HZ, options)
    assert len(ready.samples) == len(x) and np.isfinite(ready.samples).all()
    assert np.array_equal(ready.samples, prepare(x, RATE_HZ, options).samples)

    def over_noise_db(y: np.ndarray) -> float:
        return float(20 * np.log10(y[20_000:28_000].std() / y[2_000:10_000].std()))

    assert over_noise_db(ready.samples) > over_noise_db(x) + 6


def test_noise_reduction_of_exact_zeros_gives_numbers() -> None:
    x = np.zeros(2 * RATE_HZ, np.float32)
    x[:RATE_HZ] = tone()
    assert np.isfinite(prepare(x, RATE_HZ, Preparation(noise_reduction="stationary")).samples).all()


def test_noise_reduction_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "noisereduce":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"vocemo\[denoise\]"):
        prepare(tone(), RATE_HZ, Preparation(noise_reduction="stationary"))


# --- silence --------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["peak", "rms"])
@pytest.mark.parametrize("dc", [0.0, 0.3])
@pytest.mark.parametrize("amplitude", [0.0, 2**-15, 1e-4])
def test_silence_is_said_and_never_amplified(level: str, dc: float, amplitude: float) -> None:
    rng = np.random.default_rng(8)
    x = (dc + amplitude * rng.uniform(-1, 1, RATE_HZ)).astype(np.float32)
    options = Preparation.from_dict({"level": level, "trim_below_peak_db": 20, "length_s": 2})
    ready = prepare(x, RATE_HZ, options)
    assert ready.silent and len(ready.warnings) == 1 and ready.warnings[0].startswith("silent")
    assert ready.length == RATE_HZ
    assert np.abs(ready.samples).max() <= 2 * amplitude + 1e-7


def test_quietest_speech_is_no_silence(corpora_dir: Path) -> None:
    quiet = corpora_dir / "ravdess/Audio_Speech_Actors_01-24/Actor_09/03-01-06-01-01-01-09.flac"
    audio = decode(quiet)
    assert not prepare(audio.samples, audio.sample_rate, Preparation()).silent
    # A margin of 10 dB below the quietest recording that is known.
    assert not prepare(audio.samples * np.float32(0.3), audio.sample_rate, Preparation()).silent


def test_what_noise_reduction_leaves_may_be_silence() -> None:
    x = (2e-3 * np.random.default_rng(9).standard_normal(2 * RATE_HZ)).astype(np.float32)
    ready = prepare(x, RATE_HZ, Preparation(noise_reduction="stationary", level="peak"))
    if ready.silent:
        assert np.abs(ready.samples).max() <= np.abs(x).max()


# --- what cannot be prepared ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        (np.zeros(0, np.float32), EmptyAudioError, "no samples"),
        (np.zeros((2, 0), np.float32), EmptyAudioError, "no samples"),
        (np.float32([0.0] * 50 + [np.nan] + [0.0] * 5000), NonFiniteAudioError, "sample 50 "),
        (np.float64([0.0] * 50 + [1e300] + [0.0] * 5000), NonFiniteAudioError, "sample 50 "),
        (np.zeros(1000, np.float32), TooShortAudioError, r"lasts 0\.062 s; at least 0\.1 s"),
        (np.zeros((2, 2, 2), np.float32), UsageError, "shape"),
        (np.zeros((5000, 2), np.float32), UsageError, r"\(channels, N\)"),
        (np.zeros(5000, np.complex64), UsageError, "complex64"),
        (np.zeros(5000, bool), UsageError, "bool"),
    ],
)
def test_refused(samples: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        prepare(samples, RATE_HZ, Preparation())


def test_offset_beyond_the_end() -> None:
    with pytest.raises(TooShortAudioError, match=r"behind the offset of 0\.6 s"):
        prepare(tone(0.65), RATE_HZ, Preparation(offset_s=0.6))


def test_integers_have_their_own_full_scale() -> None:
    steps = np.random.default_rng(10).integers(-128, 128, 4_000)
    expected = (steps / 128).astype(np.float32)
    for array in (
        steps.astype(np.int8),
        (steps + 128).astype(np.uint8),
        (steps * 256).astype(np.int16),
        (steps * 2**24).astype(np.int32),
        expected.astype(np.float64),
        np.stack([expected, expected]),
    ):
        assert np.array_equal(prepare(array, RATE_HZ, PLAIN).samples, expected)


def test_the_question_is_left_as_it_was() -> None:
    x = tone()
    before = x.copy()
    for options in (PLAIN, Preparation(remove_dc=False, length_s=0.5), Preparation(level="peak")):
        prepare(x, RATE_HZ, options).samples[:] = 9
        assert np.array_equal(x, before)


# --- properties -----------------------------------------------------------------------------------


@settings(deadline=None, max_examples=120)
@given(x=recordings, options=preparations, rate=st.sampled_from([8_000, 16_000, 44_100]))
def test_whatever_is_given_the_answer_is_sound(x: np.ndarray, options: Preparation, rate: int) -> None:
    try:
        ready = prepare(x, rate, options)
    except AudioError:
        assert len(x) / rate < options.offset_s + max(options.min_length_s, 2 / options.sample_rate)
        return
    again = prepare(x.copy(), rate, options)
    assert np.array_equal(ready.samples, again.samples) and ready.length == again.length
    assert ready.samples.dtype == np.float32 and ready.samples.ndim == 1
    assert ready.samples.flags.c_contiguous
    assert np.isfinite(ready.samples).all()
    assert 0 < ready.length <= len(ready.samples)
    assert not ready.samples[ready.length :].any()
    if options.length is not None:
        assert len(ready.samples) == options.length
    else:
        assert ready.length == len(ready.samples)
    assert ready.silent == any(warning.startswith("silent: ") for warning in ready.warnings)


@settings(deadline=None, max_examples=50)
@given(x=recordings, gain_db=st.floats(-20.0, 20.0))
def test_a_level_makes_gain_meaningless(x: np.ndarray, gain_db: float) -> None:
    options = Preparation(level="rms", trim_below_peak_db=30.0)
    quiet, loud = (
        prepare(x, RATE_HZ, options),
        prepare(x * np.float32(10 ** (gain_db / 20)), RATE_HZ, options),
    )
    if not (quiet.silent or loud.silent) and quiet.length == loud.length:
        np.testing.assert_allclose(quiet.samples, loud.samples, atol=2e-4)


@settings(deadline=None, max_examples=50)
@given(
    x=hnp.arrays(np.float32, st.integers(1_600, 5_000), elements=st.floats(-1, 1, width=32)),
    below_db=st.floats(1.0, 60.0),
)
def test_trimmed_is_a_part_of_the_whole(x: np.ndarray, below_db: float) -> None:
    ready = prepare(x, RATE_HZ, Preparation(remove_dc=False, trim_below_peak_db=below_db))
    part = ready.samples
    starts = np.flatnonzero(x[: len(x) - len(part) + 1] == part[0])
    assert any(np.array_equal(x[s : s + len(part)], part) for s in starts)


@given(
    count=st.integers(0, 5_000),
    rate=st.sampled_from([1, 10, 100]),
    window_s=st.floats(0.1, 20.0),
    hop_share=st.floats(0.05, 1.0),
)
def test_windows_cover_everything_and_never_lose_the_tail(
    count: int, rate: int, window_s: float, hop_share: float
) -> None:
    window, hop = round(window_s * rate), round(window_s * hop_share * rate)
    if window < 1 or hop < 1:
        with pytest.raises(UsageError):
            windows(count, rate, window_s, window_s * hop_share)
        return
    parts = windows(count, rate, window_s, window_s * hop_share)
    assert parts == windows(np.zeros(count, np.float32), rate, window_s, window_s * hop_share)
    covered = np.zeros(count, bool)
    for start, stop in parts:
        assert 0 <= start < stop <= count
        assert stop - start == min(window, count)
        covered[start:stop] = True
    assert covered.all()
    if parts:
        assert parts[-1][1] == count
    starts = [start for start, _ in parts]
    assert starts == sorted(set(starts))
    assert all(b - a <= hop for a, b in itertools.pairwise(starts))


def test_windows_that_would_leave_gaps() -> None:
    with pytest.raises(UsageError, match="no longer than the window"):
        windows(100, 10, 1.0, 2.0)


# --- cost -----------------------------------------------------------------------------------------


def test_default_preparation_imports_nothing_heavy() -> None:
    script = (
        "import sys, numpy as np; from vocemo.prepare import prepare, Preparation;"
        "from vocemo.audio import decode;"
        "prepare(np.ones(48000, np.float32), 48000, Preparation(trim_below_peak_db=40.0, level='rms'));"
        "print([m for m in ('scipy','librosa','torch','noisereduce','av','matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_silence_lies_well_below_speech_and_above_dither() -> None:
    assert -85 < SILENCE_DBFS < -60


@pytest.mark.parametrize(
    ("seconds", "options", "said"),
    [
        (4.0, {"length_s": 3.0}, "cut: the model heard the 3 s in the middle of the 4.0 s"),
        (
            5.0,
            {"length_s": 2.5, "offset_s": 0.6, "crop": "start"},
            "cut: the model heard the 2.5 s at the start of the 4.4 s behind the first 0.6 s",
        ),
        (3.2, {"length_s": 3.0}, None),
        (9.0, {}, None),
    ],
)
def test_what_a_fixed_length_leaves_out_is_said(seconds, options, said):
    time = np.arange(round(seconds * 16_000)) / 16_000
    tone = (0.1 * np.sin(2 * np.pi * 220 * time)).astype(np.float32)
    prepared = prepare(tone, 16_000, Preparation(**options))
    assert not prepared.silent
    assert prepared.warnings == (() if said is None else (said,))
