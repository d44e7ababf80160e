"""SAVEE: Surrey Audio-Visual Expressed Emotion (English).

Origin: University of Surrey; http://kahlan.eps.surrey.ac.uk/savee/
Licence: free for research, after registration
Citation: Haq, S. & Jackson, P. J. B. (2009). Speaker-Dependent Audio-Visual Emotion Recognition.
AVSP 2009, 53-58

File names: `AudioData/TT/Enn.wav`, or in one release `TT_Enn.wav` in one folder:

    TT   talker     DC, JE, JK, KL, all men
    E    emotion    a anger, d disgust, f fear, h happiness, n neutral, sa sadness, su surprise
    nn   sentence   01 to 15, neutral 01 to 30
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from vocemo.lab.corpora.corpus import Corpus, Expected, Labels, Refusal

EMOTION_OF = {
    "a": "angry",
    "d": "disgust",
    "f": "fearful",
    "h": "happy",
    "n": "neutral",
    "sa": "sad",
    "su": "surprised",
}
TALKERS = ("DC", "JE", "JK", "KL")
SENTENCES_OF = {code: 30 if code == "n" else 15 for code in EMOTION_OF}

_NAME = re.compile(r"(?:([a-z]{2})_)?(sa|su|[adfhn])(\d{1,2})", re.IGNORECASE)


def parse(path: PurePosixPath) -> Labels | Refusal:
    """The labels in a file's name and, where the name has no talker, its folder's.

    >>> parse(PurePosixPath("ALL/DC_sa01.wav")) == parse(PurePosixPath("AudioData/DC/sa01.wav"))
    True
    >>> parse(PurePosixPath("AudioData/sa01.wav")).reason
    "neither the name nor its folder 'AudioData' names a talker (DC, JE, JK, KL)"
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return Refusal("the name is not talker, emotion letters and sentence, as DC_sa01 or DC/sa01")
    named, code, number = match.groups()
    talker = (named or path.parent.name).upper()
    code = code.lower()
    if talker not in TALKERS:
        if named:
            return Refusal(f"talker {talker} is none of {', '.join(TALKERS)}")
        folder = path.parent.name
        return Refusal(f"neither the name nor its folder '{folder}' names a talker ({', '.join(TALKERS)})")
    if not 1 <= int(number) <= SENTENCES_OF[code]:
        return Refusal(f"sentence {number} of emotion {code} is not in 01 to {SENTENCES_OF[code]}")
    sentence = f"{code}{int(number):02d}"
    return Labels(
        name=f"{talker}_{sentence}",
        emotion=EMOTION_OF[code],
        speaker=talker,
        sex="male",
        sentence=sentence,
    )


def names() -> frozenset[str]:
    """The names of the 480 recordings."""
    return frozenset(
        f"{talker}_{code}{number:02d}"
        for talker in TALKERS
        for code, sentences in SENTENCES_OF.items()
        for number in range(1, sentences + 1)
    )


SAVEE = Corpus(
    name="savee",
    names_repeat=True,
    title="SAVEE, Surrey Audio-Visual Expressed Emotion",
    summary="4 men speak English sentences in 7 emotions",
    language="en",
    licence="free for research",
    citation=(
        "Haq, S. & Jackson, P. J. B. (2009). Speaker-Dependent Audio-Visual Emotion Recognition. "
        "AVSP 2009, 53-58"
    ),
    doi=None,
    homepage="http://kahlan.eps.surrey.ac.uk/savee/",
    people="4 men of 27 to 31 years, students and researchers, native speakers of British English",
    setting="acted, in a laboratory, fixed sentences",
    layout="AudioData/{DC,JE,JK,KL}/Enn.wav",
    parse=parse,
    expected=Expected(
        480,
        4,
        {EMOTION_OF[code]: 4 * sentences for code, sentences in SENTENCES_OF.items()},
        {"speech": 480},
    ),
    names=lambda present: names(),
    obtain="register at http://kahlan.eps.surrey.ac.uk/savee/Download.html and unpack AudioData.zip there",
)
