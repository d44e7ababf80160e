"""The plain way to an emotion, as most scripts go it: librosa features, a small torch CNN, softmax.

    python bench/plain_predict.py WEIGHTS CLIP

The peer of `vocemo predict` in predict_start.py, which makes the weights. Nothing is slowed down here: no
import without use, one file, one pass.
"""

from __future__ import annotations

import sys

import librosa
import numpy as np
import torch
from torch import nn

EMOTIONS = ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"]
SAMPLE_RATE_HZ, N_FFT, HOP, N_MELS, N_MFCC = 16_000, 512, 256, 64, 40


class Cnn(nn.Module):
    """Three convolution blocks and two fully connected layers on a two-channel image."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for inside, outside in ((2, 16), (16, 32), (32, 64)):
            blocks += [nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU()]
            blocks += [nn.MaxPool2d(2)]
        self.convolutions = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, len(EMOTIONS)))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.convolutions(image))


def features(path: str) -> torch.Tensor:
    samples, _ = librosa.load(path, sr=SAMPLE_RATE_HZ)
    options = {"n_fft": N_FFT, "hop_length": HOP, "n_mels": N_MELS}
    mel = librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE_HZ, **options)
    mel_db = librosa.power_to_db(mel, ref=np.max)
    mfcc = librosa.feature.mfcc(y=samples, sr=SAMPLE_RATE_HZ, n_mfcc=N_MFCC, **options)
    mfcc = np.pad(mfcc, ((0, N_MELS - N_MFCC), (0, 0)))
    return torch.from_numpy(np.stack([mel_db, mfcc]).astype(np.float32)).unsqueeze(0)


def main() -> None:
    weights, clip = sys.argv[1:]
    model = Cnn()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    model.eval()
    with torch.no_grad():
        probabilities = torch.softmax(model(features(clip)), dim=1)[0]
    best = int(probabilities.argmax())
    print(f"Predicted emotion: {EMOTIONS[best]} with {probabilities[best]:.2%} confidence")
    for name, probability in zip(EMOTIONS, probabilities, strict=True):
        print(f"{name:>10}: {probability:.2%}")


if __name__ == "__main__":
    main()
