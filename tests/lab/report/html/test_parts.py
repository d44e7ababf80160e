"""What the report is computed and drawn from: calibration, curves, sounds, names, charts."""

from __future__ import annotations

import base64
import io
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from fabricate_report import answers, trainings
from vocemo.lab.evaluate import Subject
from vocemo.lab.evaluate.reliability import aurc, expected_calibration_error, reliability_bins, risk_coverage
from vocemo.lab.report.html import calibration, mistakes, plots, sounds
from vocemo.lab.report.html.chart import Axis, Chart, ticks
from vocemo.lab.report.html.names import ShortNames
from vocemo.lab.report.html.sounds import RATE_HZ, Recordings


@given(
    st.lists(st.lists(st.floats(-8, 8), min_size=3, max_size=3), min_size=1, max_size=5), st.floats(0.2, 5)
)
def test_the_temperature_is_taken_back(logits: list[list[float]], temperature: float) -> None:
    z = np.array(logits)
    found = calibration.at_temperature(softmax(z / temperature, axis=1), temperature)
    np.testing.assert_allclose(found, softmax(z, axis=1), rtol=1e-6, atol=1e-12)


def test_a_certain_answer_stays_certain_at_any_temperature() -> None:
    found = calibration.at_temperature(np.array([[1.0, 0.0], [1e-300, 1.0]]), 20.0)
    np.testing.assert_array_equal(found, [[1, 0], [0, 1]])


def test_each_fold_is_taken_back_by_its_own_temperature() -> None:
    found = answers()
    temperatures = {run: 0.5 + place for place, run in enumerate(found.runs)}
    raw = calibration.uncalibrated(found, temperatures)
    assert raw is not None
    for seed, fold in found.runs:
        rows = (found.seed == seed) & (found.fold == fold)
        powers = found.probabilities[rows] ** temperatures[seed, fold]
        np.testing.assert_allclose(raw.probabilities[rows], powers / powers.sum(1, keepdims=True))
    np.testing.assert_array_equal(raw.predicted, found.predicted)
    assert calibration.uncalibrated(found, {found.runs[0]: 1.0}) is None


def test_bins_are_those_of_the_error_and_intervals_are_over_speakers() -> None:
    speakers = tuple(f"ravdess/{number:02}" for number in range(6))
    found = answers(speakers, clips=20, seeds=1)
    bins = calibration.bins(found)
    expected = reliability_bins(found.targets, found.probabilities)
    assert [(b.answers, b.confidence, b.accuracy) for b in bins] == [
        (b.clips, b.confidence, b.accuracy) for b in expected
    ]
    error = sum(b.answers * abs(b.accuracy - b.confidence) for b in bins) / len(found)
    assert error == pytest.approx(expected_calibration_error(found.targets, found.probabilities))
    assert calibration.ece(found) == pytest.approx(error)
    # Where each speaker has as many answers in a bin, it is the t interval of the speakers' own shares.
    confidence = found.probabilities.max(1)
    order = np.argsort(confidence, kind="stable")[: bins[0].answers]
    names = np.array([found.subjects[row].speaker for row in order])
    right = (found.predicted == found.targets)[order]
    counts = {name: right[names == name] for name in np.unique(names)}
    sums = np.array([(each - right.mean()).sum() / len(right) for each in counts.values()])
    m = len(sums)
    reach = scipy.stats.t.ppf(0.975, m - 1) * np.sqrt(m / (m - 1) * (sums**2).sum())
    assert bins[0].ci95 is not None
    assert bins[0].ci95[0] == pytest.approx(max(0, right.mean() - reach))
    assert bins[0].ci95[1] == pytest.approx(min(1, right.mean() + reach))


def test_overconfidence_has_the_sign_of_its_name() -> None:
    found = answers(clips=10)
    right = float((found.predicted == found.targets).mean())
    assert calibration.overconfidence(found) == pytest.approx(found.probabilities.max(1).mean() - right)


def test_operating_points_are_the_mean_over_seeds() -> None:
    found = answers(clips=10)
    each = [found.where(found.seed == seed) for seed in (0, 1)]
    curves = [risk_coverage(one.targets, one.probabilities) for one in each]
    area = float(np.mean([aurc(one.targets, one.probabilities) for one in each]))
    plot, points = plots.selective(found, area)
    half = len(each[0]) // 2
    by_coverage = {point.coverage: point for point in points}
    assert by_coverage[0.5].accuracy == pytest.approx(1 - np.mean([c.risk[half - 1] for c in curves]))
    assert by_coverage[1.0].accuracy == pytest.approx((found.predicted == found.targets).mean())
    least = [np.sort(one.probabilities.max(1))[::-1][half - 1] for one in each]
    assert by_coverage[0.5].confidence == pytest.approx(np.mean(least))
    assert f"AURC {100 * area:.1f} %" in plot.caption


def test_curves_mark_the_epoch_that_was_kept() -> None:
    found = answers()
    loss, accuracy = plots.curves(trainings(found))
    for plot in (loss, accuracy):
        assert plot.svg.count("<polyline") == 8 and plot.svg.count("kept epoch 2") == 4
    assert "seed 0 fold 1, epoch 2: training 1.00, validation 0.95" in loss.svg
    assert plots.curves(()) == ()


def test_the_surest_mistake_of_each_clip_is_listed_once() -> None:
    found = answers(clips=8, right=0.0)
    listed = mistakes.most_confident(found, ShortNames(found.subjects), None)
    assert len(listed) == mistakes.LISTED == len({each.name for each in listed})
    assert [each.probability for each in listed] == sorted((e.probability for e in listed), reverse=True)
    wrong = found.predicted != found.targets
    assert listed[0].probability == found.probabilities.max(1)[wrong].max()
    for each in listed:
        assert each.answer != each.target and each.trainings == 2 and 1 <= each.wrong <= 2
        rows = [row for row, subject in enumerate(found.subjects) if subject == each.subject]
        assert each.wrong == sum(wrong[row] for row in rows)
        assert each.sound is None


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A tone of 1.5 seconds at 48 kHz."""
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(72_000) / 48_000)
    (tmp_path / "data").mkdir()
    soundfile.write(tmp_path / "data" / "tone.wav", tone, 48_000)
    return tmp_path


def samples(sound: sounds.Sound) -> np.ndarray:
    packed = base64.b64decode(sound.url.removeprefix("data:audio/mpeg;base64,"))
    read, rate = soundfile.read(io.BytesIO(packed), dtype="float32")
    assert rate == RATE_HZ
    return read


def test_a_recording_is_in_the_page_as_it_sounds(recording: Path) -> None:
    sound = Recordings(recording).sound("data/tone.wav")
    assert sound is not None and not sound.cut and sound.duration_s == pytest.approx(1.5)
    heard = samples(sound)
    assert len(heard) == pytest.approx(1.5 * RATE_HZ, abs=0.15 * RATE_HZ)
    middle = heard[RATE_HZ // 2 : RATE_HZ]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.fft.rfftfreq(len(middle), 1 / RATE_HZ)[spectrum.argmax()] == pytest.approx(440, abs=3)
    assert len(sound.url) < 40_000


def test_parts_are_cut_out_and_long_recordings_cut_short(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Recordings(recording).sound("data/tone.wav#0.5-0.75")
    assert part is not None and part.duration_s == pytest.approx(0.25)
    monkeypatch.setattr(sounds, "LONGEST_S", 0.5)
    short = Recordings(recording).sound("data/tone.wav")
    assert short is not None and short.cut and short.duration_s == 0.5


def test_what_cannot_be_had_has_no_sound(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (recording / "data" / "no sound.wav").write_bytes(b"text")
    (recording / "data" / "name#1-2.wav").write_bytes((recording / "data" / "tone.wav").read_bytes())
    at_hand = Recordings(recording)
    for key in ("data/moved.wav", "data/no sound.wav", "data/tone.wav~1", "data/tone.wav#8-9", "data", ""):
        assert at_hand.sound(key) is None, key
    assert at_hand.sound("data/name#1-2.wav") is not None
    monkeypatch.setattr(sounds, "MOST_BYTES", 20_000)
    little = Recordings(recording)
    found = [little.sound("data/tone.wav") for _ in range(9)]
    assert found[0] is not None and found[-1] is None


def test_names_are_short_and_tell_clips_apart() -> None:
    names = ShortNames([Subject(f"/voices/a/corpus/{who}/1.wav", "own") for who in ("x", "y")])
    assert [names(f"/voices/a/corpus/{who}/1.wav") for who in "xy"] == ["x/1.wav", "y/1.wav"]
    assert names("/voices/a/else/where/deep/down/2.wav") == "deep/down/2.wav"
    assert names("2.wav") == "2.wav"
    assert ShortNames([Subject("/a/1.wav"), Subject("b/2.wav")])("/a/1.wav") == "a/1.wav"
    assert names.within("in /voices/a/corpus/x/1.wav too", ["/voices/a/corpus/x/1.wav"]) == "in x/1.wav too"


def test_a_chart_is_svg_within_its_frame() -> None:
    chart = Chart(Axis("across & <x>"), Axis("up"), height=200)
    chart.line([(-1, -1), (0.5, 2), (1, 1)], "first", "beyond & back")
    chart.dot((0.5, 0.5), "second", "<middle>")
    chart.span(0.25, 0.1, 0.9, "first")
    root = ElementTree.fromstring(chart.markup("c", "a <title>", "words & more"))
    assert root.get("viewBox") == "0 0 360 200"
    points = next(each for each in root if each.tag == "polyline").get("points", "").split()
    for point in points:
        x, y = map(float, point.split(","))
        assert 0 <= x <= 360 and 0 <= y <= 200
    assert root.find("desc") is not None and root.find("desc").text == "words & more"


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4), st.integers(2, 9))
def test_ticks_are_few_and_within(low: float, length: float, most: int) -> None:
    found = ticks(low, low + length, most)
    assert len(found) <= most
    assert ticks(1, 3, 6, least_step=1) == (1, 2, 3)
    assert all(low - 1e-6 <= tick <= low + length + 1e-6 for tick in found)
