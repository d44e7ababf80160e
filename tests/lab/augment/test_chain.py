"""What every augmentation owes, and what a chain of them adds."""

from __future__ import annotations

import dataclasses
import random
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.augment import AUGMENTATIONS, PitchShiftParameters, SpeedParameters, chain
from vocemo.lab.augment.chain import Chain
from vocemo.lab.augment.stretcher import stretch

RATE_HZ = 16_000
NOISES = tempfile.TemporaryDirectory()  # there as long as the tests
soundfile.write(
    Path(NOISES.name, "hiss.wav"),
    np.random.default_rng(0).uniform(-0.1, 0.1, 30_000),
    22_050,
    subtype="FLOAT",
)
NEEDED = {"background-noise": {"folder": NOISES.name}}  # options without which there is none
VARIANTS = [{"name": name, **NEEDED.get(name, {})} for name in sorted(AUGMENTATIONS)] + [
    {"name": "speed", "method": "resample"},
    {"name": "noise", "colours": ["white", "pink", "brown", "blue", "violet"]},
    {"name": "time-shift", "wrap": True},
]
EVERYTHING = [{**table, "p": 0.5} for table in VARIANTS]
every_variant = pytest.mark.parametrize(
    "table", VARIANTS, ids=lambda t: "-".join(str(v) for k, v in t.items() if k != "folder")
)


def global_randomness() -> tuple[list[int], object]:
    """The state of NumPy's and Python's generators that everybody shares."""
    return np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002 (it is read, not drawn from)


def noise(length: int = RATE_HZ, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, length).astype(np.float32)


@every_variant
def test_same_generator_same_samples(table: dict[str, object]) -> None:
    vary = chain([table])
    once, again, other = (vary(noise(), RATE_HZ, np.random.default_rng(s)) for s in (5, 5, 6))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


@every_variant
def test_parameters_are_drawn_apart_from_their_use(table: dict[str, object]) -> None:
    vary = chain([table])
    drawn = vary.draw(np.random.default_rng(3))
    assert np.array_equal(
        vary.apply(noise(), RATE_HZ, drawn), vary(noise(), RATE_HZ, np.random.default_rng(3))
    )
    (parameters,) = drawn
    assert dataclasses.is_dataclass(parameters)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(parameters, dataclasses.fields(parameters)[0].name, 0)


@every_variant
def test_no_global_randomness(table: dict[str, object]) -> None:
    before = global_randomness()
    chain([table])(noise(), RATE_HZ, np.random.default_rng(1))
    assert global_randomness() == before


@every_variant
def test_samples_given_are_left_as_they_were(table: dict[str, object]) -> None:
    samples = noise()
    samples.flags.writeable = False
    varied = chain([table])(samples, RATE_HZ, np.random.default_rng(1))
    assert np.array_equal(samples, noise())
    assert varied.dtype == np.float32
    assert varied.ndim == 1


@every_variant
def test_silence_stays_silent(table: dict[str, object]) -> None:
    assert not chain([table])(np.zeros(RATE_HZ, np.float32), RATE_HZ, np.random.default_rng(1)).any()


@settings(max_examples=40, deadline=None)
@given(
    length=st.integers(0, 6_000),
    level=st.sampled_from([0.0, 1e-20, 1e-6, 1.0, 1e3]),
    rate_hz=st.sampled_from([8_000, 16_000, 22_050, 44_100]),
    seed=st.integers(0, 2**32),
)
def test_anything_in_something_finite_out(length: int, level: float, rate_hz: int, seed: int) -> None:
    vary = chain(EVERYTHING)
    varied = vary(noise(length, seed) * np.float32(level), rate_hz, np.random.default_rng(seed))
    assert varied.dtype == np.float32
    assert np.isfinite(varied).all()
    assert (len(varied) > 0) == (length > 0)


def test_threads_agree_with_one_after_another() -> None:
    vary = chain(EVERYTHING)

    def job(seed: int) -> np.ndarray:
        return vary(noise(8_000, seed), RATE_HZ, np.random.default_rng(seed))

    alone = [job(seed) for seed in range(40)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(job, range(40)))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_each_step_is_applied_as_often_as_its_probability() -> None:
    vary = chain([{"name": "gain", "p": 0.25}, {"name": "noise", "p": 0.0}, {"name": "time-shift"}])
    rng = np.random.default_rng(0)
    drawn = [vary.draw(rng) for _ in range(2_000)]
    applied = [sum(d[step] is not None for d in drawn) for step in range(3)]
    # Binomial: mean 500, standard deviation 19.4.
    assert abs(applied[0] - 500) < 5 * 19.4
    assert applied[1:] == [0, 2_000]


def test_one_steps_probability_changes_nothing_in_what_others_draw() -> None:
    seldom, often = (chain([{"name": "gain", "p": p}, {"name": "noise"}]) for p in (0.0, 1.0))
    assert seldom.draw(np.random.default_rng(4))[1] == often.draw(np.random.default_rng(4))[1]


def test_an_empty_chain_changes_nothing() -> None:
    samples = noise()
    assert chain([])(samples, RATE_HZ, np.random.default_rng(0)) is samples


def test_integers_do_for_numbers() -> None:
    assert chain([{"name": "pitch-shift", "semitones": 2}]) == chain(
        [{"name": "pitch-shift", "semitones": 2.0}]
    )


def test_tables_are_left_as_they_were() -> None:
    table = {"name": "gain", "p": 0.5}
    chain([table])
    assert table == {"name": "gain", "p": 0.5}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"name": "pitchshift"}, "unknown augmentation 'pitchshift'; did you mean 'pitch-shift'"),
        ({"p": 0.5}, "needs a name. Valid: babble, background-noise, gain, noise"),
        (
            {"name": "speed", "rate": 1.1},
            "unknown option of augmentation speed 'rate'.*Valid: p, min_rate, max_rate",
        ),
        ({"name": "speed", "p": 1.5}, "probability from 0 to 1, not 1.5"),
        ({"name": "speed", "min_rate": "slow"}, "min_rate is a number, not 'slow'"),
        ({"name": "gain", "max_db": float("inf")}, "max_db is a number, not inf"),
        ({"name": "gain", "max_db": True}, "max_db is a number, not True"),
        ({"name": "time-shift", "wrap": 1}, "wrap is true or false, not 1"),
        ({"name": "noise", "colours": "pink"}, "colours is a list of names, not 'pink'"),
        ({"name": "noise", "colours": ["pnik"]}, "did you mean 'pink'"),
        ({"name": "speed", "method": 3}, "unknown method of augmentation speed '3'"),
    ],
)
def test_a_wrong_table_says_what_is_right(table: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        chain([table])
    assert issubclass(UnknownNameError, UsageError)


def test_two_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="one channel"):
        chain([{"name": "gain"}])(np.zeros((2, 100), np.float32), RATE_HZ, np.random.default_rng(0))


def test_a_real_voice_stays_a_voice(corpora_dir: Path) -> None:
    samples, rate = soundfile.read(next((corpora_dir / "emodb/wav").glob("*Wa.*")), dtype="float32")
    rng = np.random.default_rng(0)
    for table in VARIANTS:
        varied = chain([table])(samples, rate, rng)
        assert np.isfinite(varied).all()
        assert 0.8 < len(varied) / len(samples) < 1.25
        level_db = 20 * np.log10(np.sqrt(np.mean(varied**2)) / np.sqrt(np.mean(samples**2)))
        assert abs(level_db) < 7


def test_neighbours_of_the_vocoder_are_made_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[tuple[float, float]] = []

    def counting(samples: np.ndarray, sample_rate: int, *, semitones: float, rate: float) -> np.ndarray:
        passes.append((semitones, rate))
        return stretch(samples, sample_rate, semitones=semitones, rate=rate)

    monkeypatch.setattr(sys.modules[Chain.__module__], "stretch", counting)
    tone = np.sin(2 * np.pi * 220 / RATE_HZ * np.arange(2 * RATE_HZ), dtype=np.float32)
    shift, faster, louder = {"name": "pitch-shift"}, {"name": "speed"}, {"name": "gain"}
    drawn = {"pitch-shift": PitchShiftParameters(4.0), "speed": SpeedParameters(1.25), "gain": None}
    for tables in ([shift, faster], [faster, shift], [shift, louder, faster]):
        vary = chain(tables)
        varied = vary.apply(tone, RATE_HZ, [drawn[step.name] for step in vary.steps])
        assert len(varied) == round(len(tone) / 1.25)
        spectrum = np.abs(np.fft.rfft(varied * np.hanning(len(varied))))
        peak_hz = float(np.argmax(spectrum)) * RATE_HZ / len(varied)
        assert peak_hz == pytest.approx(220 * 2 ** (4 / 12), rel=0.01)
    # A step that is left out is no neighbour's boundary; one that is made is.
    assert passes == [(4.0, 1.25)] * 3
    vary = chain([shift, louder, faster])
    parameters = vary.steps[1].augmentation.draw(np.random.default_rng(0))
    vary.apply(tone, RATE_HZ, [drawn["pitch-shift"], parameters, drawn["speed"]])
    assert passes[3:] == [(4.0, 1.0), (0.0, 1.25)]
    vary = chain([{"name": "speed", "method": "resample"}])
    vary.apply(tone, RATE_HZ, [drawn["speed"]])
    assert len(passes) == 5


def test_rates_that_would_go_below_the_slowest_are_made_one_after_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates: list[float] = []

    def counting(samples: np.ndarray, sample_rate: int, *, semitones: float, rate: float) -> np.ndarray:
        rates.append(rate)
        return stretch(samples, sample_rate, semitones=semitones, rate=rate)

    monkeypatch.setattr(sys.modules[Chain.__module__], "stretch", counting)
    vary = chain([{"name": "speed", "min_rate": 0.7, "max_rate": 0.7}] * 2)
    first, again = (vary(noise(), RATE_HZ, np.random.default_rng(0)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert rates == [0.7] * 4
    with pytest.raises(UsageError, match="speed: rate"):
        chain([{"name": "speed", "min_rate": 0.4}])


def test_what_is_stretched_to_nothing_is_left_so() -> None:
    vary = chain([{"name": "speed", "min_rate": 4.0, "max_rate": 4.0}, {"name": "noise"}])
    assert vary(noise(1), RATE_HZ, np.random.default_rng(0)).size <= 1


def test_a_step_that_begins_with_a_view_leaves_those_before_it_alone() -> None:
    tables = [{"name": "noise"}, {"name": "gain", "min_db": -20.0, "max_db": -20.0, "from_view": 2}]
    vary, without = chain(tables), chain(tables[:1])
    heard = [vary(noise(), RATE_HZ, np.random.default_rng(3), view) for view in (0, 1, 2, 3, None)]
    quiet = without(noise(), RATE_HZ, np.random.default_rng(3))
    for varied in heard[:2]:
        np.testing.assert_array_equal(varied, quiet)
    for varied in heard[2:]:  # and the steps before draw as they did
        np.testing.assert_allclose(varied, quiet / 10, rtol=1e-6)
    assert vary.identity != chain([{**table, "from_view": 1} for table in tables]).identity


@pytest.mark.parametrize("first", [-1, 1.5, True, "2"])
def test_a_view_is_a_whole_number(first: object) -> None:
    with pytest.raises(UsageError, match="from_view is"):
        chain([{"name": "gain", "from_view": first}])
