"""Groups and gaps: against scikit-learn, t tests of SciPy, and what they must not claim."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score

from answered import EMOTIONS, answered, equal_clips
from vocemo.lab.evaluate import Predictions, Subject
from vocemo.lab.evaluate.groups import DURATION_NAMES, by_group, duration_bin, gaps
from vocemo.lab.evaluate.metrics import confusion_matrix, uar


def own_uars(predictions, chosen):
    """Each speaker's UAR on some rows, by scikit-learn."""
    speakers = np.array([s.speaker for s in predictions.subjects])
    return np.array(
        [
            balanced_accuracy_score(predictions.targets[rows], predictions.predicted[rows])
            for rows in (chosen & (speakers == name) for name in predictions.speakers)
            if rows.any()
        ]
    )


def of_two_sexes(seed=0, each=5, seeds=1):
    generator = np.random.default_rng(seed)
    parts = []
    for number in range(seeds):
        right, names, targets = equal_clips(generator, 11, each, 0.8)
        sex = ["female" if n % 2 else "male" for n in names]
        parts.append(answered(right, names, targets, seed=number, sex=sex))
    return Predictions.concatenate(parts)


def test_each_groups_figures_are_scikit_learns():
    whole = of_two_sexes()
    for group in by_group(whole)["sex"]:
        rows = np.array([s.sex == group.name for s in whole.subjects])
        assert group.uar == pytest.approx(balanced_accuracy_score(whole.targets[rows], whole.predicted[rows]))
        assert group.accuracy == pytest.approx((whole.targets == whole.predicted)[rows].mean())
        own = own_uars(whole, rows)
        assert (group.clips, group.speakers) == (rows.sum(), len(own))
        expected = stats.t.interval(0.95, len(own) - 1, own.mean(), stats.sem(own))
        assert group.ci95 == pytest.approx(expected)
    speakers = by_group(whole)["speaker"]
    assert [group.name for group in speakers] == list(whole.speakers)
    assert [group.uar for group in speakers] == pytest.approx(
        list(own_uars(whole, np.ones(len(whole), bool)))
    )
    assert all(group.ci95 is None and group.speakers == 1 for group in speakers)


def test_the_gap_of_the_sexes_is_welchs_t_interval():
    whole = of_two_sexes()
    female = np.array([s.sex == "female" for s in whole.subjects])
    one, other = own_uars(whole, female), own_uars(whole, ~female)
    test = stats.ttest_ind(one, other, equal_var=False)
    reach = stats.t.ppf(0.975, math.floor(test.df)) * math.hypot(stats.sem(one), stats.sem(other))
    (gap,) = gaps(whole)["sex"]
    assert (gap.first, gap.second) == ("female", "male")
    assert gap.difference == pytest.approx(one.mean() - other.mean())
    assert gap.ci95 == pytest.approx((gap.difference - reach, gap.difference + reach))


def test_a_gap_within_speakers_is_the_paired_t_interval():
    right, names, targets = equal_clips(np.random.default_rng(1), 7, 6, 1.0)
    strong = np.arange(len(names)) % 2 == 0
    intensity = np.where(strong, "strong", "normal")
    whole = answered(right | (strong & (np.arange(len(names)) % 5 == 0)), names, targets, intensity=intensity)
    one, other = own_uars(whole, ~strong), own_uars(whole, strong)
    expected = stats.ttest_rel(one, other).confidence_interval(0.95)
    (gap,) = gaps(whole)["intensity"]
    assert (gap.first, gap.second, gap.emotions) == ("normal", "strong", ())
    assert gap.ci95 == pytest.approx((expected.low, expected.high))


def test_seeds_are_averaged():
    whole = of_two_sexes(seeds=3)
    alone = [gaps(whole.where(whole.seed == seed))["sex"][0].difference for seed in range(3)]
    assert gaps(whole)["sex"][0].difference == pytest.approx(np.mean(alone))
    groups = [by_group(whole.where(whole.seed == seed))["sex"] for seed in range(3)]
    found = by_group(whole)["sex"]
    for place, group in enumerate(found):
        assert group.uar == pytest.approx(np.mean([of[place].uar for of in groups]))
        assert group.clips == groups[0][place].clips


def test_only_emotions_that_both_groups_have_are_compared():
    right, names, targets = equal_clips(np.random.default_rng(2), 6, 4)
    neutral = targets == 0
    # Nobody speaks neutral strongly; what is strong is always right, neutral never.
    strong = ~neutral & (np.arange(len(names)) % 2 == 0)
    whole = answered((right & ~neutral) | strong, names, targets, intensity=np.where(strong, "s", "n"))
    (gap,) = gaps(whole)["intensity"]
    assert gap.emotions == ("happy", "sad", "angry")
    shared = ~strong & ~neutral
    assert gap.difference == pytest.approx(own_uars(whole, shared).mean() - 1)
    normal, loud = by_group(whole)["intensity"]
    everything = confusion_matrix(whole.targets[~strong], whole.predicted[~strong], 4)
    assert (normal.uar, loud.uar) == (pytest.approx(uar(everything)), 1.0)
    assert loud.ci95 is None  # where all is right, nothing says how far speakers differ


def test_an_emotion_of_a_single_speaker_is_no_ground_for_a_gap_and_a_group_of_one_emotion_has_no_uar():
    right, names, targets = equal_clips(np.random.default_rng(3), 5, 4)
    # In group b, sad comes from one speaker alone, angry from nobody.
    b = (np.arange(len(names)) % 2 == 0) & (targets != 3) & ((targets != 2) | (names == 1))
    whole = answered(right, names, targets, sentence=np.where(b, "b", "a"))
    (gap,) = gaps(whole)["sentence"]
    assert gap.emotions == ("neutral", "happy")
    assert by_group(whole)["sentence"][1].ci95 is None
    only = answered(right, names, targets, sentence=np.where(targets == 0, "a", "b"))
    assert by_group(only)["sentence"][0].uar is None
    assert by_group(only)["sentence"][0].accuracy == pytest.approx(right[targets == 0].mean())
    assert "sentence" not in gaps(only)


def test_of_several_groups_each_is_held_against_the_others_with_a_wider_interval():
    right, names, targets = equal_clips(np.random.default_rng(4), 8, 9, 0.5)
    lengths = np.tile([0.5, 1.5, 2.5], len(names) // 3)
    whole = answered(right, names, targets, duration_s=lengths)
    found = gaps(whole)["duration"]
    assert [gap.first for gap in found] == ["under 1 s", "1 to 2 s", "2 to 3 s"]
    assert {gap.second for gap in found} == {"the others"}
    first = lengths < 1
    differences = own_uars(whole, first) - own_uars(whole, ~first)
    expected = stats.ttest_1samp(differences, 0).confidence_interval(1 - 0.05 / 3)
    assert found[0].difference == pytest.approx(differences.mean())
    assert found[0].ci95 == pytest.approx((expected.low, expected.high))


def test_groups_that_were_drawn_alike_seldom_count_as_different():
    """The sexes differ by chance alone: about one gap in twenty counts."""
    generator = np.random.default_rng(5)
    counted = []
    for _ in range(400):
        right, names, targets = equal_clips(generator, 12, 3, 0.7)
        whole = answered(right, names, targets, sex=np.where(names % 3 == 0, "female", "male"))
        counted.append(gaps(whole)["sex"][0].counts)
    assert 0.02 < np.mean(counted) < 0.08  # a standard error is 1.1 points


def test_a_true_gap_counts():
    generator = np.random.default_rng(6)
    shift = np.where(np.arange(20) % 2 == 0, 1.5, -0.5)
    right, names, targets = equal_clips(generator, 20, 6, shift=shift)
    whole = answered(right, names, targets, sex=np.where(names % 2 == 0, "female", "male"))
    (gap,) = gaps(whole)["sex"]
    assert gap.counts and gap.ci95[0] > 0


def test_what_is_not_known_or_divides_nothing_is_absent():
    right, names, targets = equal_clips(np.random.default_rng(7), 3, 2)
    whole = answered(right, names, targets, channel=["speech"] * len(names))
    assert set(by_group(whole)) == {"speaker"} and gaps(whole) == {}
    half = answered(right, names, targets, sex=["female" if n else None for n in names])
    assert set(by_group(half)) == {"speaker"}
    many = answered(right, names, targets, sentence=[str(n) for n in range(len(names))])
    assert "sentence" in by_group(many)
    unknown = answered(right, ["unknown"] * len(names), targets, sentence=np.where(names > 1, "a", "b"))
    found = by_group(unknown)
    assert set(found) == {"sentence"} and all(group.ci95 is None for group in found["sentence"])
    assert gaps(unknown)["sentence"][0].ci95 is None


def test_sentences_of_several_corpora_are_not_one():
    right, names, targets = equal_clips(np.random.default_rng(8), 4, 2)
    whole = answered(right, names, targets, sentence=["01"] * len(names))
    rows = tuple(
        Subject(s.path, ("x", "y")[n % 2], s.speaker, sentence="01") for n, s in enumerate(whole.subjects)
    )
    mixed = Predictions(EMOTIONS, rows, whole.targets, whole.probabilities, whole.fold, whole.seed)
    assert [group.name for group in by_group(mixed)["sentence"]] == ["x/01", "y/01"]


@pytest.mark.parametrize(
    ("duration_s", "name"),
    [(0.0, "under 1 s"), (0.999, "under 1 s"), (1.0, "1 to 2 s"), (10.0, "10 s or more")],
)
def test_bins_hold_their_lower_edge(duration_s, name):
    assert duration_bin(duration_s) == name
    assert len(set(DURATION_NAMES)) == 7
