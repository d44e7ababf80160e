"""A clip in one vector, as it is alone whatever batch it is in."""

from __future__ import annotations

import numpy as np
import torch

import fabricate_run
from vocemo.lab import network
from vocemo.lab.network import LEAST_DEVIATION, summary


def test_a_summary_is_numpys_mean_and_log_deviation_behind_the_embedding() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(0, 2, (3, 2, 5, 40)).astype(np.float32)
    frames, embedding = np.array([40, 17, 1]), rng.normal(0, 1, (3, 7)).astype(np.float32)
    found = summary(*map(torch.from_numpy, (features, frames, embedding))).numpy()
    for row in range(3):
        own = features[row, :, :, : frames[row]].reshape(10, -1)
        spread = np.log(np.maximum(own.std(-1), LEAST_DEVIATION))
        np.testing.assert_allclose(
            found[row], np.concatenate([embedding[row], own.mean(-1), spread]), atol=1e-5
        )


def test_a_clip_is_summed_up_in_a_batch_as_alone(one_thread: None) -> None:
    made = network.build(fabricate_run.recipe(), seed=0).eval()
    rng = np.random.default_rng(1)
    samples = torch.from_numpy((0.1 * rng.standard_normal((3, 12_000))).astype(np.float32))
    lengths = torch.tensor([12_000, 5_000, 1_600])
    with torch.inference_mode():
        output, together = made.summed_up(samples, lengths)
        assert torch.equal(output.logits, made(samples, lengths).logits)
        for row, length in enumerate(lengths.tolist()):
            alone = made.summed_up(samples[row : row + 1, :length], lengths[row : row + 1])[1]
            torch.testing.assert_close(alone[0], together[row], atol=1e-4, rtol=1e-4)
