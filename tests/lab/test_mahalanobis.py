import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import mahalanobis as oracle
from sklearn.covariance import LedoitWolf

from vocemo.errors import RunError, UsageError
from vocemo.lab import mahalanobis
from vocemo.lab.mahalanobis import MOST_DIRECTIONS, REACH, Distances, Gaussians, fit, shrunk_covariance


def drawn(seed, clips=300, width=12, kinds=3):
    """Vectors about a mean for each kind, with one covariance."""
    generator = np.random.default_rng(seed)
    targets = generator.integers(0, kinds, clips)
    mix = generator.normal(0, 1, (width, width))
    return generator.normal(0, 1, (clips, width)) @ mix + 3 * generator.normal(0, 1, (kinds, width))[
        targets
    ], targets


@pytest.mark.parametrize(("clips", "width"), [(400, 5), (50, 20), (20, 50)])
def test_the_covariance_is_scikit_learns(clips, width):
    vectors, _ = drawn(1, clips, width, 1)
    centred = vectors - vectors.mean(0)
    expected = LedoitWolf(assume_centered=True).fit(centred).covariance_
    np.testing.assert_allclose(shrunk_covariance(centred), expected, rtol=1e-6, atol=1e-9)


def test_the_distance_is_scipys_to_the_nearest_mean():
    vectors, targets = drawn(2)
    found = fit(vectors, targets)
    means = [vectors[targets == kind].mean(0) for kind in range(3)]
    scale = vectors.std(0)
    centred = (vectors - np.stack(means)[targets]) / scale
    precision = np.linalg.inv(LedoitWolf(assume_centered=True).fit(centred).covariance_)
    tried = drawn(3, clips=20)[0]
    expected = [min(oracle(v / scale, mean / scale, precision) for mean in means) for v in tried]
    np.testing.assert_allclose(found.distance(tried), expected, rtol=1e-4)


def test_wide_vectors_keep_their_leading_directions_and_one_variance_for_the_rest():
    vectors, targets = drawn(4, clips=500, width=MOST_DIRECTIONS + 30, kinds=1)
    found = fit(vectors, targets)
    assert found.directions.shape == (MOST_DIRECTIONS + 30, MOST_DIRECTIONS)
    np.testing.assert_allclose(found.directions.T @ found.directions, np.eye(MOST_DIRECTIONS), atol=1e-5)
    covariance = shrunk_covariance((vectors - vectors.mean(0)) / vectors.std(0))
    values, axes = np.linalg.eigh(covariance)
    values[:30] = values[:30].mean()
    precision = (axes / values) @ axes.T
    centred = (vectors - vectors.mean(0)) / vectors.std(0)
    expected = np.sqrt(np.einsum("nd,de,ne->n", centred, precision, centred))
    np.testing.assert_allclose(found.distance(vectors), expected, rtol=1e-4)


@settings(deadline=None)
@given(st.integers(0, 200), st.floats(0.1, 10.0), st.floats(-5.0, 5.0))
def test_neither_units_nor_the_order_of_clips_matter(seed, factor, shift):
    vectors, targets = drawn(seed, clips=60, width=4)
    order = np.random.default_rng(seed).permutation(len(targets))
    tried = drawn(seed + 1, clips=5, width=4)[0]
    moved = fit(vectors[order] * factor + shift, targets[order])
    np.testing.assert_allclose(
        moved.distance(tried * factor + shift), fit(vectors, targets).distance(tried), rtol=1e-3
    )


def test_what_never_varied_in_training_does_not_decide_alone():
    vectors, targets = drawn(5, width=6)
    vectors[:, 0] = 0.0
    found = fit(vectors, targets)
    there = vectors[:1].copy()
    there[0, 0] = 1e-6 * vectors.std()
    assert found.distance(there)[0] == pytest.approx(found.distance(vectors[:1])[0], rel=1e-3)
    assert np.isfinite(fit(np.zeros((4, 3)), [0, 0, 1, 1]).distance([[1.0, 2.0, 3.0]])).all()


def test_one_number_that_is_far_away_counts_no_more_than_its_reach():
    vectors, targets = drawn(5, width=6, kinds=1)
    found = fit(vectors, targets)
    away = found.means[0] + np.diag(found.scales) * np.array([[1.0], [REACH]] + [[1e6]] * 4)
    distances = found.distance(away)
    covariance = shrunk_covariance((vectors - vectors.mean(0)) / vectors.std(0))
    lone = np.sqrt(np.diag(np.linalg.inv(covariance)))  # of one deviation in one number
    np.testing.assert_allclose(distances, lone * [1.0, *[REACH] * 5], rtol=1e-3)


def test_what_an_older_vocemo_kept_has_no_end(tmp_path):
    vectors, targets = drawn(6)
    found = fit(vectors, targets)
    found.write(tmp_path / "domain.npz")
    with np.load(tmp_path / "domain.npz") as kept:
        np.savez(tmp_path / "older.npz", **{name: kept[name] for name in kept if name != "reach"})
    older = Gaussians.read(tmp_path / "older.npz")
    far = vectors + 100 * vectors.std(0)
    assert (older.distance(far) > found.distance(far) * 2).all()
    np.testing.assert_allclose(older.distance(vectors[:5]), found.distance(vectors[:5]))


def test_it_is_kept_in_a_file_that_needs_no_pickle(tmp_path):
    vectors, targets = drawn(6)
    found = fit(vectors, targets)
    found.write(tmp_path / "domain.npz")
    again = Gaussians.read(tmp_path / "domain.npz")
    np.testing.assert_array_equal(again.distance(vectors), found.distance(vectors))
    (tmp_path / "broken.npz").write_bytes(b"PK nothing of the kind")
    np.savez(tmp_path / "other.npz", means=np.zeros(3))
    np.savez(tmp_path / "pickle.npz", means=np.array([{}], object))
    for name in ("broken", "other", "pickle", "gone"):
        with pytest.raises(RunError, match=name):
            Gaussians.read(tmp_path / f"{name}.npz")


def test_the_limit_lets_99_of_100_validation_clips_pass():
    distances = np.random.default_rng(7).normal(10, 1, 1000)
    assert (distances > mahalanobis.limit(distances)).mean() == pytest.approx(0.01, abs=0.001)
    assert Distances(2.0, 5.0).ratio == 2.5 and Distances(2.0, None).ratio is None


@pytest.mark.parametrize(
    ("vectors", "targets", "said"),
    [
        (np.zeros((0, 3)), [], "1 or more"),
        (np.zeros((2, 3)), [0], "must be"),
        (np.zeros(3), [0, 0, 0], "must be"),
        (np.array([[np.nan, 1.0]]), [0], "finite"),
    ],
)
def test_what_cannot_be_fitted_is_said(vectors, targets, said):
    with pytest.raises(UsageError, match=said):
        fit(vectors, targets)
    with pytest.raises(UsageError, match=r"must be \(n, 12\)"):
        fit(*drawn(0)).distance(np.zeros((2, 3)))
