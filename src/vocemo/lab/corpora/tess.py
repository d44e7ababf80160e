"""TESS: the Toronto Emotional Speech Set (English).

Origin: University of Toronto; https://doi.org/10.5683/SP2/E8H2MF
Licence: CC BY-NC-ND 4.0
Citation: Pichora-Fuller, M. K. & Dupuis, K. (2020). Toronto emotional speech set (TESS). Borealis,
doi:10.5683/SP2/E8H2MF (recorded 2010)

File names: `TTT_word_emotion.wav`, in folders such as `OAF_angry/` or in none:

    TTT       talker    OAF the older (64 years), YAF the younger (26 years), both women
    word      one of 200, after "Say the word"
    emotion   angry, disgust, fear, happy, neutral, sad, ps (pleasant surprise)

Releases differ: folders `OAF_Pleasant_surprise` and `YAF_pleasant_surprised`, capitals, the talker
misspelt as in `OA_bite_neutral.wav`, and names with numbers of the listening test around them, as
`507testYAF_germ_angry29.wav`. All of these are one recording's name, read without them.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from vocemo.lab.corpora.corpus import Corpus, Expected, Labels, Listing, Refusal

EMOTION_OF = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fearful",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "surprised",
    "sad": "sad",
}
TALKER_OF = {"oaf": "OAF", "oa": "OAF", "yaf": "YAF", "ya": "YAF"}
WORDS = 200

_NAME = re.compile(r"(?:\d+test)?([a-z]{2,3})_([a-z']+)_([a-z]+)\d*", re.IGNORECASE)


def parse(path: PurePosixPath) -> Labels | Refusal:
    """The labels in a file's name.

    >>> labels = parse(PurePosixPath("751testOA_bite_neutral48.wav"))
    >>> labels.name, labels.speaker, labels.emotion, labels.sentence
    ('OAF_bite_neutral', 'OAF', 'neutral', 'bite')
    >>> parse(PurePosixPath("OAF_Pleasant_surprise/OAF_back_ps.wav")).emotion
    'surprised'
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return Refusal("the name is not talker, word and emotion, as OAF_back_angry")
    talker, word, emotion = (group.lower() for group in match.groups())
    for what, code, valid in (
        ("talker", talker, ("OAF", "YAF")),
        ("emotion", emotion, tuple(EMOTION_OF)),
    ):
        if code not in (TALKER_OF if what == "talker" else EMOTION_OF):
            return Refusal(f"{what} {code} is none of {', '.join(valid)}")
    return Labels(
        name=f"{TALKER_OF[talker]}_{word}_{emotion}",
        emotion=EMOTION_OF[emotion],
        speaker=TALKER_OF[talker],
        sex="female",
        sentence=word,
    )


def names(present: frozenset[str]) -> frozenset[str]:
    """Every talker's every emotion of the words that are present; the words are not listed here."""
    words = {name.split("_")[1] for name in present}
    return frozenset(f"{t}_{w}_{e}" for t in ("OAF", "YAF") for w in words for e in EMOTION_OF)


TESS = Corpus(
    name="tess",
    title="TESS, Toronto Emotional Speech Set",
    summary="2 women, of 26 and 64 years, speak 200 words after 'Say the word' in 7 emotions",
    language="en",
    licence="CC BY-NC-ND 4.0",
    citation="Pichora-Fuller, M. K. & Dupuis, K. (2020). Toronto emotional speech set (TESS). Borealis",
    doi="10.5683/SP2/E8H2MF",
    homepage="https://doi.org/10.5683/SP2/E8H2MF",
    people="2 actresses of 26 and 64 years from the Toronto area, with English as their first language",
    setting="acted, one carrier phrase with 200 words",
    layout="{OAF,YAF}_EMOTION/{OAF,YAF}_word_emotion.wav",
    parse=parse,
    expected=Expected(
        2 * WORDS * len(EMOTION_OF),
        2,
        dict.fromkeys(EMOTION_OF.values(), 2 * WORDS),
        {"speech": 2 * WORDS * len(EMOTION_OF)},
    ),
    names=names,
    listing=Listing("https://borealisdata.ca", "doi:10.5683/SP2/E8H2MF"),
)
