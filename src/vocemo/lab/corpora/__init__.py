"""Corpora of emotional speech: what they are, where they lie, what is in them.

read("ravdess:DIR")             the labels of every clip
check("ravdess:DIR")            what is missing, unreadable, double or astray
fetch("ravdess", Path("DIR"))   download and unpack
"""

from vocemo.lab.corpora.checking import CheckReport, Count, Duplicate, check
from vocemo.lab.corpora.clip import UNKNOWN_SPEAKER, Channel, Clip, Manifest, Refused, Sex, speaker_of
from vocemo.lab.corpora.corpus import Archive, Corpus, Expected, Labels, Listing, Refusal, Scan
from vocemo.lab.corpora.digest import content_digest
from vocemo.lab.corpora.fetching import Fetched, Step, fetch
from vocemo.lab.corpora.reading import parse_spec, read
from vocemo.lab.corpora.registry import CORPORA

__all__ = [
    "CORPORA",
    "UNKNOWN_SPEAKER",
    "Archive",
    "Channel",
    "CheckReport",
    "Clip",
    "Corpus",
    "Count",
    "Duplicate",
    "Expected",
    "Fetched",
    "Labels",
    "Listing",
    "Manifest",
    "Refusal",
    "Refused",
    "Scan",
    "Sex",
    "Step",
    "check",
    "content_digest",
    "fetch",
    "parse_spec",
    "read",
    "speaker_of",
]
