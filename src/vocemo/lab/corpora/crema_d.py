"""CREMA-D: the Crowd-sourced Emotional Multimodal Actors Dataset (English).

Origin: https://github.com/CheyneyComputerScience/CREMA-D
Licence: Open Database License 1.0 (contents: Database Contents License 1.0)
Citation: Cao, H., Cooper, D. G., Keutmann, M. K., Gur, R. C., Nenkova, A. & Verma, R. (2014). CREMA-D:
Crowd-sourced Emotional Multimodal Actors Dataset. IEEE Transactions on Affective Computing 5(4),
377-390, doi:10.1109/TAFFC.2014.2336244

File names: `AAAA_SSS_EEE_LL.wav` in `AudioWAV/` (the same in MP3 in `AudioMP3/`):

    AAAA   actor      1001 to 1091; sex from the dataset's VideoDemographics.csv
    SSS    sentence   twelve codes, below
    EEE    emotion    ANG, DIS, FEA, HAP, NEU, SAD
    LL     level      LO, MD, HI where the sentence is IEO, else XX (unspecified); one release
                      writes it X in 1040_ITH_SAD_X

Of the 7,462 that this gives, the release holds 7,442; which twenty are not there is not published,
so what is missing is counted by emotion, not named.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from vocemo.lab.corpora.corpus import Corpus, Expected, Labels, Refusal

EMOTION_OF = {
    "ANG": "angry",
    "DIS": "disgust",
    "FEA": "fearful",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
LEVEL_OF = {"LO": "low", "MD": "medium", "HI": "high", "XX": None, "X": None}
SENTENCES = {
    "IEO": "It's eleven o'clock",
    "TIE": "That is exactly what happened",
    "IOM": "I'm on my way to the meeting",
    "IWW": "I wonder what this is about",
    "TAI": "The airplane is almost full",
    "MTI": "Maybe tomorrow it will be cold",
    "IWL": "I would like a new alarm clock",
    "ITH": "I think I have a doctor's appointment",
    "DFA": "Don't forget a jacket",
    "ITS": "I think I've seen this before",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}
ACTORS = frozenset(str(actor) for actor in range(1001, 1092))

# VideoDemographics.csv of the dataset, column Sex; the other 48 actors are men.
WOMEN = frozenset(
    str(1000 + n)
    for n in (
        *(2, 3, 4, 6, 7, 8, 9, 10, 12, 13, 18, 20, 21, 24, 25, 28, 29, 30, 37, 43, 46, 47, 49),
        *(52, 53, 54, 55, 56, 58, 60, 61, 63, 72, 73, 74, 75, 76, 78, 79, 82, 84, 89, 91),
    )
)

_NAME = re.compile(r"(\d{4})_([a-z]{3})_([a-z]{3})_([a-z]{1,2})", re.IGNORECASE)


def parse(path: PurePosixPath) -> Labels | Refusal:
    """The labels in a file's name.

    >>> labels = parse(PurePosixPath("AudioWAV/1001_IEO_ANG_HI.wav"))
    >>> labels.speaker, labels.sex, labels.emotion, labels.intensity
    ('1001', 'male', 'angry', 'high')
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return Refusal("the name is not actor, sentence, emotion and level, as 1001_DFA_ANG_XX")
    actor, sentence, emotion, level = (group.upper() for group in match.groups())
    if actor not in ACTORS:
        return Refusal(f"actor {actor} is not in 1001 to 1091")
    for what, code, valid in (
        ("sentence", sentence, SENTENCES),
        ("emotion", emotion, EMOTION_OF),
        ("level", level, LEVEL_OF),
    ):
        if code not in valid:
            return Refusal(f"{what} {code} is none of {', '.join(valid)}")
    return Labels(
        name=f"{actor}_{sentence}_{emotion}_{'XX' if level == 'X' else level}",
        emotion=EMOTION_OF[emotion],
        speaker=actor,
        sex="female" if actor in WOMEN else "male",
        intensity=LEVEL_OF[level],
        sentence=sentence,
    )


CREMA_D = Corpus(
    name="crema-d",
    title="CREMA-D, Crowd-sourced Emotional Multimodal Actors Dataset",
    summary="91 actors speak twelve sentences in 6 emotions, one sentence at three levels",
    language="en",
    licence="ODbL 1.0",
    citation=(
        "Cao, H., Cooper, D. G., Keutmann, M. K., Gur, R. C., Nenkova, A. & Verma, R. (2014). CREMA-D: "
        "Crowd-sourced Emotional Multimodal Actors Dataset. IEEE Transactions on Affective Computing 5(4), "
        "377-390"
    ),
    doi="10.1109/TAFFC.2014.2336244",
    homepage="https://github.com/CheyneyComputerScience/CREMA-D",
    people=(
        "91 actors, 43 women and 48 men, of 20 to 74 years, who speak English; African American, Asian, "
        "Caucasian, "
        "Hispanic and unspecified"
    ),
    setting="acted, twelve fixed sentences",
    layout="AudioWAV/AAAA_SSS_EEE_LL.wav",
    parse=parse,
    expected=Expected(
        7442,
        91,
        {emotion: 1087 if emotion == "neutral" else 1271 for emotion in EMOTION_OF.values()},
        {"speech": 7442},
    ),
    sentences=SENTENCES,
    companions=("AudioMP3/*", "VideoFlash/*", "processedResults/*", "*.R"),
    obtain=(
        "it is kept in Git LFS: git lfs install && "
        "git clone https://github.com/CheyneyComputerScience/CREMA-D, then name the folder AudioWAV in it"
    ),
)
