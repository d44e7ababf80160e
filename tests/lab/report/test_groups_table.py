"""Groups and gaps as a person reads them."""

import dataclasses

import numpy as np

from answered import answered, equal_clips
from vocemo.lab.evaluate import Gap, GroupResult, Results
from vocemo.lab.measure import measured
from vocemo.lab.report.groups_table import gap_lines, groups_table, interval_remark


def results(speakers=6) -> Results:
    right, names, targets = equal_clips(np.random.default_rng(0), speakers, 5, 1.0)
    sex = np.where(names % 2 == 0, "female", "male")
    return measured(answered(right, names, targets, sex=sex), model="m", protocol="loso", leaky=False)


def test_each_group_has_a_row_and_speakers_a_line():
    found = results()
    table = groups_table(found).splitlines()
    assert table[0].split() == ["group", "UAR", "95", "%", "interval", "accuracy", "clips", "speakers"]
    female = found.groups["sex"][0]
    assert table[1].split()[:3] == ["sex", "female", f"{female.uar:.1%}"] and table[1].endswith(" 3")
    assert table[3].startswith("6 speakers: UAR from ") and "half of them above" in table[3]


def test_gaps_say_whether_they_count_and_over_which_emotions():
    gaps = {
        "sex": (Gap("female", "male", 0.1, (0.02, 0.18)),),
        "intensity": (Gap("normal", "strong", -0.05, (-0.12, 0.02), ("happy", "sad", "angry")),),
        "channel": (Gap("song", "speech", 0.05, None, ("sad",)),),
        "speaker": (Gap("one speaker", "another, drawn at random", 0.12, (0.09, 0.18)),),
        "sentence": tuple(Gap(str(n), "the others", 0.01 * n, (0.01 * n - 0.05, 0.3)) for n in range(10)),
    }
    lines = gap_lines(dataclasses.replace(results(), gaps=gaps)).splitlines()
    assert lines[1:5] == [
        "  sex: female less male +10.0 (+2.0 to +18.0): counts",
        "  intensity: normal less strong -5.0 (-12.0 to +2.0): within chance, without neutral",
        "  channel: song less speech +5.0, over sad",
        "  speaker: two drawn at random differ by 12.0 beyond chance (9.0 to 18.0): counts",
    ]
    assert len(lines) == 5 + 4 + 1 and lines[-1] == "  sentence: 6 other gaps that do not count"


def test_a_kind_of_many_groups_is_told_by_its_ends():
    groups = {"sentence": tuple(GroupResult(f"s{n}", 4, 2, n / 20, 0.5) for n in range(11))}
    assert groups_table(dataclasses.replace(results(), groups=groups)) == (
        "11 sentences: UAR from 0.0% (s0) to 50.0% (s10), half of them above 25.0%"
    )


def test_few_speakers_are_said_and_nothing_is_said_of_nothing():
    assert interval_remark(results(6)).startswith("The intervals come from 6 speakers.")
    assert interval_remark(results(12)) == ""
    bare = dataclasses.replace(results(), groups={}, gaps={})
    assert groups_table(bare) == "" and gap_lines(bare) == ""
