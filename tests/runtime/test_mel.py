from __future__ import annotations

import numpy as np

from vocemo.runtime import mel

RATE_HZ = 16_000


def test_the_scale_and_the_spectrogram_are_librosa_s() -> None:
    import librosa

    hz = np.array([0.0, 60.0, 999.0, 1001.0, 7999.0])
    np.testing.assert_allclose(mel.hz_to_mel(hz), librosa.hz_to_mel(hz, htk=True))
    np.testing.assert_allclose(mel.mel_to_hz(mel.hz_to_mel(hz)), hz, atol=1e-9)
    samples = np.random.default_rng(0).normal(0.0, 0.1, RATE_HZ + 37)
    frame, hop = round(mel.FRAME_S * RATE_HZ), round(mel.HOP_S * RATE_HZ)
    power = librosa.feature.melspectrogram(
        y=samples,
        sr=RATE_HZ,
        n_fft=frame,
        hop_length=hop,
        n_mels=48,
        htk=True,
        norm=None,
        pad_mode="constant",
    )
    expected = librosa.power_to_db(power, ref=np.max, top_db=mel.FLOOR_DB)
    np.testing.assert_allclose(mel.mel_db(samples, RATE_HZ), expected, atol=1e-4)


def test_edges_adjoin_from_nothing_to_the_top() -> None:
    edges = mel.mel_edges(12, 8_000.0)
    assert edges[0] == 0.0 and edges[-1] == 8_000.0 and (np.diff(edges) > 0).all()
    np.testing.assert_allclose(np.diff(mel.hz_to_mel(edges)), mel.hz_to_mel(8_000.0) / 12)


def test_a_clip_shorter_than_a_frame_has_a_spectrogram() -> None:
    assert mel.mel_db(np.ones(3), RATE_HZ).shape == (48, 1)
