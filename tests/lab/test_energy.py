"""Energy: counters that somebody wrote by hand, and the published formula worked out beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vocemo.lab.energy import Energy, Meter, memory_gb, of_training


def zone(root: Path, name: str, called: str, energy_uj: int, round_uj: int = 10_000_000) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    for file, content in (("name", called), ("energy_uj", energy_uj), ("max_energy_range_uj", round_uj)):
        (folder / file).write_text(f"{content}\n")
    return folder


def test_the_processors_are_counted_and_what_lies_within_them_is_not(tmp_path: Path) -> None:
    first = zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    second = zone(tmp_path, "intel-rapl:1", "package-1", 9_000_000)
    cores = zone(tmp_path, "intel-rapl:0:0", "core", 5)
    meter = Meter(tmp_path)
    assert meter.joules() == 0
    (first / "energy_uj").write_text("3500000\n")
    (second / "energy_uj").write_text("500000\n")  # past its end, and on from nothing
    (cores / "energy_uj").write_text("9999999\n")
    assert meter.joules() == pytest.approx(2.5 + 1.5)


@pytest.mark.parametrize("content", [None, "", "secret"])
def test_counters_that_cannot_be_read_measure_nothing(tmp_path: Path, content: str | None) -> None:
    package = zone(tmp_path, "intel-rapl:0", "package-0", 7)
    meter = Meter(tmp_path)
    if content is None:
        (package / "energy_uj").unlink()
    else:
        (package / "energy_uj").write_text(content)
    assert meter.joules() is None
    assert Meter(tmp_path).joules() is None
    assert Meter(tmp_path / "none").joules() is None


def test_the_estimate_is_the_published_formula() -> None:
    made = {"device": "cpu", "threads": 4, "memory_gb": 16.0}
    found = of_training(7200, made)
    assert found.kwh == pytest.approx(2 * (4 * 12 + 16 * 0.3725) * 1.67 / 1000, rel=1e-3)
    assert not found.measured and "4 cores x 12 W" in found.how and "PUE 1.67" in found.how
    on_card = of_training(7200, {**made, "device": "cuda"})
    assert on_card.kwh - found.kwh == pytest.approx(2 * 200 * 1.67 / 1000, rel=1e-3)


def test_an_older_run_says_what_it_lacks() -> None:
    found = of_training(3600, {"device": "cpu"})
    assert found.kwh == pytest.approx(12 * 1.67 / 1000, rel=1e-3)
    assert "memory not recorded" in found.how and "how many cores is not recorded" in found.how


def test_the_parts_of_a_training_are_summed_and_one_that_is_unknown_leaves_all_unknown() -> None:
    made = {"device": "cpu", "threads": 1}
    assert of_training(60, made, [1.8e6, 1.8e6]) == Energy(
        1.0, True, "the processor's own counters (RAPL), other work at the time included"
    )
    assert not of_training(60, made, [1.8e6, None]).measured
    assert not of_training(60, {"device": "cuda", "threads": 1}, [1.8e6]).measured  # the card is not counted


def test_a_machine_has_memory() -> None:
    found = memory_gb()
    assert found is None or 0.1 < found < 100_000
