import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from vocemo.errors import UsageError
from vocemo.lab.evaluate import metrics


@st.composite
def answers(draw):
    """Targets and answers; some classes may be absent from either."""
    k, n = draw(st.integers(2, 6)), draw(st.integers(1, 60))
    one = st.lists(st.integers(0, k - 1), min_size=n, max_size=n)
    return np.array(draw(one)), np.array(draw(one)), k


def quietly(function, *arguments, **options):
    """scikit-learn warns of the conventions that are tested here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **options)


@settings(deadline=None)
@given(answers())
def test_confusion_matrix_is_scikit_learns(drawn):
    targets, predicted, k = drawn
    expected = oracle.confusion_matrix(targets, predicted, labels=range(k))
    np.testing.assert_array_equal(metrics.confusion_matrix(targets, predicted, k), expected)


@settings(deadline=None)
@given(answers())
def test_uar_accuracy_and_macro_f1_are_scikit_learns(drawn):
    targets, predicted, k = drawn
    confusion = metrics.confusion_matrix(targets, predicted, k)
    # balanced_accuracy leaves out classes absent from the targets; f1 those in neither.
    assert metrics.uar(confusion) == pytest.approx(
        quietly(oracle.balanced_accuracy_score, targets, predicted)
    )
    assert metrics.accuracy(confusion) == pytest.approx(oracle.accuracy_score(targets, predicted))
    assert metrics.macro_f1(confusion) == pytest.approx(
        quietly(oracle.f1_score, targets, predicted, average="macro")
    )


@settings(deadline=None)
@given(answers())
def test_kappa_is_scikit_learns(drawn):
    targets, predicted, k = drawn
    found = metrics.kappa(metrics.confusion_matrix(targets, predicted, k))
    if len(set(targets) | set(predicted)) == 1:
        assert np.isnan(found)  # nothing beyond chance
    else:
        expected = quietly(oracle.cohen_kappa_score, targets, predicted, labels=range(k))
        assert found == pytest.approx(expected, nan_ok=True)


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_several_matrices_at_once_are_each_alone(seed):
    together = np.random.default_rng(seed).integers(0, 3, (4, 3, 3)) + np.eye(3, dtype=int)
    for measure in (metrics.recall, metrics.precision, metrics.f1):
        np.testing.assert_array_equal(measure(together), np.stack([measure(one) for one in together]))
    np.testing.assert_array_equal(
        metrics.kappas(together.astype(float)), [metrics.kappa(m) for m in together]
    )


@settings(deadline=None)
@given(answers())
def test_each_class_is_scikit_learns_where_it_is_defined(drawn):
    targets, predicted, k = drawn
    confusion = metrics.confusion_matrix(targets, predicted, k)
    precision, recall, f1, support = quietly(
        oracle.precision_recall_fscore_support, targets, predicted, labels=range(k), zero_division=0
    )
    there, answered = np.isin(range(k), targets), np.isin(range(k), predicted)
    np.testing.assert_allclose(metrics.recall(confusion), np.where(there, recall, np.nan))
    np.testing.assert_allclose(metrics.precision(confusion), np.where(there | answered, precision, np.nan))
    np.testing.assert_allclose(metrics.f1(confusion), np.where(there | answered, f1, np.nan))
    np.testing.assert_array_equal(confusion.sum(1), support)


@settings(deadline=None)
@given(answers(), st.randoms(use_true_random=False))
def test_neither_the_order_of_clips_nor_the_names_of_classes_matter(drawn, random):
    targets, predicted, k = drawn
    order = random.sample(range(len(targets)), len(targets))
    names = np.array(random.sample(range(k), k))
    plain = metrics.confusion_matrix(targets, predicted, k)
    np.testing.assert_array_equal(metrics.confusion_matrix(targets[order], predicted[order], k), plain)
    renamed = metrics.confusion_matrix(names[targets], names[predicted], k)
    for measure in (metrics.uar, metrics.accuracy, metrics.macro_f1, metrics.kappa):
        assert measure(renamed) == pytest.approx(measure(plain), nan_ok=True)


@settings(deadline=None)
@given(answers())
def test_bounds(drawn):
    targets, predicted, k = drawn
    confusion = metrics.confusion_matrix(targets, predicted, k)
    for measure in (metrics.uar, metrics.accuracy, metrics.macro_f1):
        assert 0 <= measure(confusion) <= 1
        assert measure(metrics.confusion_matrix(targets, targets, k)) == 1
    for values in (metrics.recall(confusion), metrics.precision(confusion), metrics.f1(confusion)):
        known = values[~np.isnan(values)]
        assert ((known >= 0) & (known <= 1)).all()


def test_uar_counts_each_emotion_the_same():
    # 90 clips of one class, 10 of the other, all called the first: accuracy is fooled, UAR is not.
    confusion = [[90, 0], [10, 0]]
    assert metrics.accuracy(confusion) == 0.9
    assert metrics.uar(confusion) == 0.5


def test_a_class_absent_from_the_targets():
    # Class 2 has no clip. Called for one clip it has precision and F1 0 and lowers macro F1, not UAR.
    answered = metrics.confusion_matrix([0, 0, 1], [0, 2, 1], 3)
    np.testing.assert_array_equal(metrics.recall(answered), [0.5, 1, np.nan])
    np.testing.assert_array_equal(metrics.precision(answered), [1, 1, 0])
    np.testing.assert_allclose(metrics.f1(answered), [2 / 3, 1, 0])
    assert metrics.uar(answered) == 0.75
    assert metrics.macro_f1(answered) == pytest.approx(5 / 9)
    # Never called either, it is as if it were no class.
    unanswered = metrics.confusion_matrix([0, 0, 1], [0, 1, 1], 3)
    for each in (metrics.recall, metrics.precision, metrics.f1):
        assert np.isnan(each(unanswered)[2])
    assert metrics.macro_f1(unanswered) == metrics.macro_f1(metrics.confusion_matrix([0, 0, 1], [0, 1, 1], 2))


def test_score_holds_every_measure():
    found = metrics.score([0, 1, 1, 2], [[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    assert found.clips == 4
    assert found.accuracy == 0.75
    assert found.uar == pytest.approx((1 + 0.5 + 1) / 3)
    assert found.top2 == 1
    assert found.loss == pytest.approx(-np.log([0.6, 0.4, 0.8, 0.4]).mean())
    np.testing.assert_array_equal(found.support, [1, 2, 1])


def test_level_probabilities_are_answered_by_the_first_class():
    assert metrics.score([0, 1], [[0.5, 0.5], [0.5, 0.5]]).confusion.tolist() == [[1, 0], [1, 0]]


@pytest.mark.parametrize(
    ("targets", "predicted", "said"),
    [
        ([], [], "1 or more"),
        ([0, 1], [0], "both must be"),
        ([0, 3], [0, 0], "a target is no class: each must be an integer from 0 to 2"),
        ([0, 1], [0, -1], "an answer is no class"),
        ([0.5, 1], [0, 1], "integer"),
    ],
)
def test_what_cannot_be_counted_is_said(targets, predicted, said):
    with pytest.raises(UsageError, match=said.replace("an answer", "answer")):
        metrics.confusion_matrix(targets, predicted, 3)
