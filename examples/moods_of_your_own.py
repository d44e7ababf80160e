"""Moods that no model knows, from a few labelled clips: a folder a mood, and scikit-learn.

Needs pip install "vocemo[lab]".

python examples/moods_of_your_own.py CLIPS new.wav     # CLIPS/bored/*.wav, CLIPS/keen/*.wav, ...
"""

import sys
from pathlib import Path

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vocemo.lab.estimator import VoiceEmbedding

clips = [path for path in sorted(Path(sys.argv[1]).glob("*/*")) if not path.name.startswith(".")]
pipeline = make_pipeline(VoiceEmbedding(), StandardScaler(), LogisticRegression(max_iter=1000))
pipeline.fit(clips, [path.parent.name for path in clips])
for path in sys.argv[2:]:
    shares = pipeline.predict_proba([path])[0]
    print(f"{path}: {pipeline.classes_[shares.argmax()]} {shares.max():.0%}")
