"""The emotion of some recordings, and what kept others from having one.

python examples/predict_files.py samples/synthetic-happy.flac samples/synthetic-sad.flac README.md
"""

import sys

import vocemo

model = vocemo.load()
for answer in model.predict_many(sys.argv[1:]):
    if isinstance(answer, vocemo.Failure):
        print(f"no answer: {answer}")
    elif answer.emotion is None:
        print(f"{answer.path}: silence")
    else:
        unsure = " (uncertain)" if answer.uncertain else ""
        print(f"{answer.path}: {answer.emotion} {answer.confidence:.0%}{unsure}")
