"""AESDD: the Acted Emotional Speech Dynamic Database (Greek).

Origin: M3C, Aristotle University of Thessaloniki; http://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/
Licence: CC BY 4.0, as the card of its copy on a dataset hub says; the publisher's page names none
Citation: Vryzas, N., Kotsakis, R., Liatsou, A., Dimoulas, C. A. & Kalliris, G. (2018). Speech Emotion
Recognition for Performance Interaction. Journal of the Audio Engineering Society 66(6), 457-467,
doi:10.17743/jaes.2018.0036

File names: `eNN (S).wav` in `anger/`, `disgust/`, `fear/`, `happiness/`, `sadness/`:

    e    emotion     a anger, d disgust, f fear, h happiness, s sadness
    NN   utterance   01 to 20; the 20th is improvised
    S    speaker     1 to 6, sometimes written 01: `f10 (01).wav`
    then a letter where one speaker has two takes: `s01 (5)a.wav`, `s01 (5)b.wav`

The release has 605 files, one of them (`s05 (3).wav`) with no audio in it; three that the rule
would give (`d18 (5)`, `f02 (4)`, `h11 (3)`) are not there. Which speaker is a woman or a man is
not published.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from vocemo.lab.corpora.corpus import Corpus, Expected, Labels, Refusal

EMOTION_OF = {"a": "angry", "d": "disgust", "f": "fearful", "h": "happy", "s": "sad"}
FOLDER_OF = {"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "s": "sadness"}
SPEAKERS = ("1", "2", "3", "4", "5", "6")
UTTERANCES = tuple(f"{n:02d}" for n in range(1, 21))

# Irregularities of the release: names that the rule gives and it lacks, and takes beside them.
NOT_RELEASED = frozenset({"d18 (5)", "f02 (4)", "h11 (3)", "s01 (5)"})
FURTHER_TAKES = frozenset(
    f"{stem} (5){take}"
    for stem, take in (
        ("a06", "b"),
        ("d01", "b"),
        ("d03", "b"),
        ("d04", "b"),
        ("f18", "b"),
        ("s01", "a"),
        ("s01", "b"),
        ("s02", "b"),
        ("s04", "b"),
    )
)
EMPTY = "s05 (3)"

_NAME = re.compile(r"([a-z])(\d{1,2}) ?\(0*(\d+)\) ?([a-z]?)", re.IGNORECASE)


def parse(path: PurePosixPath) -> Labels | Refusal:
    """The labels in a file's name.

    >>> labels = parse(PurePosixPath("fear/f10 (01).wav"))
    >>> labels.name, labels.emotion, labels.speaker, labels.sentence
    ('f10 (1)', 'fearful', '1', '10')
    >>> parse(PurePosixPath("anger/s01 (5)b.wav")).reason
    "emotion letter s (sadness) lies in the folder 'anger'"
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return Refusal("the name is not emotion letter, utterance and speaker, as 'a01 (1)'")
    letter, utterance, speaker, take = (group.lower() for group in match.groups())
    utterance = utterance.zfill(2)
    for what, code, valid in (
        ("emotion letter", letter, tuple(EMOTION_OF)),
        ("utterance", utterance, UTTERANCES),
        ("speaker", speaker, SPEAKERS),
    ):
        if code not in valid:
            return Refusal(f"{what} {code} is none of {', '.join(valid)}")
    folder = path.parent.name.lower()
    if folder in FOLDER_OF.values() and folder != FOLDER_OF[letter]:
        return Refusal(f"emotion letter {letter} ({FOLDER_OF[letter]}) lies in the folder '{folder}'")
    return Labels(
        name=f"{letter}{utterance} ({speaker}){take}",
        emotion=EMOTION_OF[letter],
        speaker=speaker,
        sentence=utterance,
        take=take or None,
    )


def names() -> frozenset[str]:
    """The names of the release's files, regularly written."""
    regular = frozenset(f"{e}{u} ({s})" for e in EMOTION_OF for u in UTTERANCES for s in SPEAKERS)
    return (regular - NOT_RELEASED) | FURTHER_TAKES


AESDD = Corpus(
    name="aesdd",
    title="AESDD, Acted Emotional Speech Dynamic Database",
    summary="6 actors speak twenty Greek utterances in 5 emotions",
    language="el",
    licence="CC BY 4.0",
    citation=(
        "Vryzas, N., Kotsakis, R., Liatsou, A., Dimoulas, C. A. & Kalliris, G. (2018). Speech Emotion "
        "Recognition for Performance Interaction. Journal of the Audio Engineering Society 66(6), 457-467"
    ),
    doi="10.17743/jaes.2018.0036",
    homepage="http://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/",
    people="professional actors, at first 3 women and 2 men, who speak Greek; their ages are not published",
    setting="acted, in a studio, nineteen fixed utterances and an improvised one",
    layout="{anger,disgust,fear,happiness,sadness}/eNN (S).wav",
    parse=parse,
    expected=Expected(
        604,
        6,
        {"happy": 119, "sad": 122, "angry": 121, "fearful": 120, "disgust": 122},
        {"speech": 604},
    ),
    names=lambda present: names(),
    known_flaws={EMPTY: "empty in the publisher's release as well"},
    obtain=(
        "no file of it has a published direct address: its page is "
        "http://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/"
    ),
)
