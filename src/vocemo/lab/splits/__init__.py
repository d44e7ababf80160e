"""Protocols: which clips train, validate and test; and the audit that holds them to their word.

>>> from vocemo.lab.splits import PROTOCOLS
>>> sorted(PROTOCOLS)
['all', 'as-given', 'cross-corpus', 'emobox-6', 'loso', 'luna-5', 'one-corpus', 'random', \
'random-70-20-10', 'random-as-described', 'random-copies', 'speaker-folds-10', 'speaker-folds-2', \
'speaker-folds-3', 'speaker-folds-4', 'speaker-folds-5', 'speaker-folds-6', 'speaker-folds-7', \
'speaker-folds-8', 'speaker-folds-9', 'speakers-70-20-10']
"""

from vocemo.lab.splits import cross_corpus as cross_corpus
from vocemo.lab.splits import ravdess as ravdess
from vocemo.lab.splits import shuffled as shuffled
from vocemo.lab.splits import speaker_folds as speaker_folds
from vocemo.lab.splits import speakers as speakers
from vocemo.lab.splits import whole as whole
from vocemo.lab.splits.audit import Audit, audit, enforce
from vocemo.lab.splits.fold import Fold
from vocemo.lab.splits.heard import Heard
from vocemo.lab.splits.leaks import Finding
from vocemo.lab.splits.protocol import PROTOCOLS, Protocol, folds

__all__ = ["PROTOCOLS", "Audit", "Finding", "Fold", "Heard", "Protocol", "audit", "enforce", "folds"]
