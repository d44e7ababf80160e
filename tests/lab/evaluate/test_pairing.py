"""Two models on the same clips: pairs by speaker and by clip, wherever the corpus lay."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from answered import answered, equal_clips
from vocemo.lab.evaluate import Predictions
from vocemo.lab.evaluate.pairing import clip_test, paired_test, why_not_paired


def two_models(seeds=1, speakers=6, gain=0.3):
    generator = np.random.default_rng(0)
    _, names, targets = equal_clips(generator, speakers, 5)
    models = []
    for chance in (0.5, 0.5 + gain):
        right = [generator.random(len(names)) < chance for _ in range(seeds)]
        tables = [answered(r, names, targets, seed=n) for n, r in enumerate(right)]
        models.append((np.array(right), Predictions.concatenate(tables)))
    return names, models


@pytest.mark.parametrize("metric", ["uar", "accuracy"])
@pytest.mark.parametrize("seeds", [1, 3])
def test_it_is_the_paired_t_test_of_the_speakers_own_means_over_seeds(metric, seeds):
    names, ((one, first), (other, second)) = two_models(seeds)
    own = [[right[:, names == s].mean() for s in range(6)] for right in (one, other)]
    found = paired_test(first, second, metric)
    assert found.p_value == pytest.approx(stats.ttest_rel(own[1], own[0]).pvalue)
    assert found.difference == pytest.approx(other.mean() - one.mean())
    assert found.speakers == 6


def test_the_number_of_seeds_need_not_be_the_same():
    names, ((one, first), _) = two_models(3)
    _, (_, (other, second)) = two_models(1)
    assert why_not_paired(first, second) == ""
    own = [[right[:, names == s].mean() for s in range(6)] for right in (one, other)]
    assert paired_test(first, second, "uar").p_value == pytest.approx(stats.ttest_rel(own[1], own[0]).pvalue)


def test_clips_are_found_again_by_name_whatever_their_order_and_root():
    _, ((one, first), (other, second)) = two_models()
    order = np.random.default_rng(1).permutation(len(second))
    moved = Predictions(
        second.emotions,
        tuple(
            dataclasses.replace(second.subjects[n], path=f"D:\\x\\{second.subjects[n].path}") for n in order
        ),
        second.targets[order],
        second.probabilities[order],
        second.fold[order],
        second.seed[order],
    )
    assert why_not_paired(first, moved) == ""
    found = clip_test(first, moved)
    assert found.first_better == (one & ~other).sum() and found.second_better == (~one & other).sum()
    assert found == clip_test(first, second)
    assert paired_test(first, moved, "uar") == paired_test(first, second, "uar")


def test_macro_f1_and_loss_are_tested_as_differences_of_the_pooled_figure():
    from vocemo.lab.evaluate.metrics import score

    _, ((_, first), (_, second)) = two_models()
    for metric in ("macro_f1", "loss"):
        one, other = (getattr(score(p.targets, p.probabilities), metric) for p in (first, second))
        assert paired_test(first, second, metric).difference == pytest.approx(other - one)
    assert paired_test(first, second, "ece") is None


def test_what_cannot_be_paired_says_why():
    _, ((_, first), (_, second)) = two_models()
    assert "not the same clips" in why_not_paired(first, second.where(np.arange(len(second)) > 0))
    relabelled = dataclasses.replace(second, targets=(second.targets + 1) % 4)
    assert "not the same clips" in why_not_paired(first, relabelled)
    one = first.where([s.speaker == "c/0" for s in first.subjects])
    assert "one speaker alone" in why_not_paired(one, one)
    nobody = dataclasses.replace(
        first, subjects=tuple(dataclasses.replace(s, speaker="c/unknown") for s in first.subjects)
    )
    assert "not known" in why_not_paired(first, nobody)
    nameless = dataclasses.replace(
        first, subjects=tuple(dataclasses.replace(s, path="x.wav") for s in first.subjects)
    )
    assert "cannot be told" in why_not_paired(nameless, nameless)
