"""EMO-DB: the Berlin Database of Emotional Speech (German).

Origin: Technical University of Berlin; http://emodb.bilderbar.info
Licence: free for research
Citation: Burkhardt, F., Paeschke, A., Rolfes, M., Sendlmeier, W. F. & Weiss, B. (2005). A Database of German
Emotional Speech. Interspeech 2005, 1517-1520, doi:10.21437/Interspeech.2005-446

File names: `SSTTTEv.wav` in `wav/`:

    SS   speaker   03 10 11 12 15 male, 08 09 13 14 16 female
    TTT  text      a01 a02 a04 a05 a07 b01 b02 b03 b09 b10
    E    emotion   W Aerger (anger), L Langeweile (boredom), E Ekel (disgust), A Angst (fear),
                   F Freude (happiness), T Trauer (sadness), N neutral
    v    version   a, b, c ...

The release keeps 535 of about 800 recordings, those that listeners recognised, so no rule gives
their names: they are listed in `RELEASED`.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from vocemo.lab.corpora.clip import Sex
from vocemo.lab.corpora.corpus import Archive, Corpus, Expected, Labels, Refusal

EMOTION_OF = {
    "W": "angry",
    "L": "boredom",
    "E": "disgust",
    "A": "fearful",
    "F": "happy",
    "T": "sad",
    "N": "neutral",
}
SEX_OF: dict[str, Sex] = {
    **dict.fromkeys(("03", "10", "11", "12", "15"), "male"),
    **dict.fromkeys(("08", "09", "13", "14", "16"), "female"),
}
SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}

_NAME = re.compile(r"(\d\d)([ab]\d\d)([a-z])([a-z])", re.IGNORECASE)


def parse(path: PurePosixPath) -> Labels | Refusal:
    """The labels in a file's name.

    >>> parse(PurePosixPath("wav/03a01Wa.wav")).emotion
    'angry'
    >>> parse(PurePosixPath("wav/04a01Wa.wav")).reason
    'speaker 04 is none of 03, 08, 09, 10, 11, 12, 13, 14, 15, 16'
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return Refusal("the name is not speaker, text, emotion letter and version, as 03a01Wa")
    speaker, text, letter, version = match.groups()
    text, letter, version = text.lower(), letter.upper(), version.lower()
    for what, code, valid in (
        ("speaker", speaker, sorted(SEX_OF)),
        ("text", text, sorted(SENTENCES)),
        ("emotion letter", letter, sorted(EMOTION_OF)),
    ):
        if code not in valid:
            return Refusal(f"{what} {code} is none of {', '.join(valid)}")
    return Labels(
        name=f"{speaker}{text}{letter}{version}",
        emotion=EMOTION_OF[letter],
        speaker=speaker,
        sex=SEX_OF[speaker],
        sentence=text,
        take=version,
    )


# Speaker: text, then emotion letter and version of each recording of it.
RELEASED = """
03: a01 Fa Nc Wa, a02 Fc Nc Ta Wb Wc, a04 Ad Fd Lc Nc Ta Wc, a05 Aa Fc Nd Tc Wa Wb, a07 Fa Fb La Nc Wc,
    b01 Fa Lb Nb Td Wa Wc, b02 Aa La Na Tb Wb, b03 Nb Tc Wc, b09 La Nc Tc Wa, b10 Ab Ec Na Nc Wb Wc;
08: a01 Ab Fd Lc Na Wa Wc, a02 Ab Ac Fe La Na Tb Wc, a04 Ff La Nc Tb Wc, a05 Fe Lc Nb Ta Wa, a07 Fd La
    Na Ta Tb Wc, b01 Aa Fd Fe Lb Na Wa, b02 Ff La Nb Tc Wd, b03 Fe Lc Nb Tc Wd, b09 Ab Fd Lc Nb Tb Wa
    Wc, b10 Aa Fd La Nc Tc Wa;
09: a01 Ea Fa Nb Wb, a02 Ea Eb La Wb, a04 Fd La Nb Wa, a05 Ed Lc Nb Tb Wb Wc, a07 Eb Na Ta Wb Wd, b01 Ea
    Na Wb, b02 Na Tb Wc Wd, b03 Ed Fa Fd Lb Nb Ta Wb, b09 Ea Nd Wa, b10 Aa Nd Wa;
10: a01 Ac Nb Wa, a02 Ab Fa Lb Na Wa, a04 Fd Nb Wa Wb, a05 Aa Ld Tb Wb, a07 Aa Ad La Ta Wb, b01 Aa Ea Fa
    Lb, b02 Aa La Na Wb, b03 La Tb Wb, b09 Ad Lb Wb, b10 Fc Lc Wa;
11: a01 Aa Ab Ld Nd Wc, a02 Ec Fb Ld Nc Tc Wc, a04 Ac Fd Nd Wc, a05 Ad Fb Fc Lc Na Td Wd, a07 Ac Ld Ta
    Wc, b01 Ab Eb Fc Lb Nc Wd, b02 Ab Fd Na Td Wb, b03 Fc Lc Nb Td Wa Wb, b09 Ad Fd Ld Na Td Wa, b10 Ad
    Ae Ld Nc Td Wa;
12: a01 Fb Lb Nb Wc, a02 Ac Ec Nb Wa Wc, a04 Wc, a05 Ab Lb Nd Ta Wb, a07 Ac La Wa, b01 Ta Wa, b02 Ad Ea
    Fb Na Wa Wb Wd, b03 La Ta, b09 Ac Td Wc, b10 Ac Ld Wa;
13: a01 Ac Ea Ec Fd Lb Nb Wb, a02 Ad Ec Fa Lc Nc Ta Wa, a04 Ac Fc Lb Ta Wc, a05 Aa Ea Lc Nb Tc Wa Wc,
    a07 Fd Lb Na Tc Wb, b01 Ab Ec Fc Ld Nc Wa, b02 Fb Lc Nb Wa, b03 Ac Ed Fd Lb Na Td Wc, b09 Ab Ec Fb
    Fc La Na Wa, b10 Ec Fa La Nc Wa Wc;
14: a01 Aa Ac Ea Na Wa Wc, a02 Ab Ea Fd La Nc Tb Wa Wc, a04 Aa Ed Lb Tb Tc Wb Wc, a05 Aa Ac Fa Fb Lb Na
    Ta Tc Wa Wb, a07 Aa Eb Fd Lc Ld Na Tc Wc, b01 Ac Eb Fa Fc Na Wc, b02 Aa Fb Na Tc Wb Wd, b03 Ad Ed Lb
    Ta Wb, b09 Ac Ea Fc Lb Td Wa Wc, b10 Ad Eb Lb Nb Tc Wc;
15: a01 Ea Fb La Nb Wa, a02 Ac Ea La Na Ta Wb Wd, a04 Ab Ac Fd Nc Wa Wb, a05 Eb Fb Lb Na Wa, a07 Ac Eb
    Fa Fb Ld Nc, b01 Ec Lb Na Wc, b02 Aa Lb Nd Tc Wa Wc, b03 Aa Lc Nb Tc Wa Wb, b09 Ac Fa La Nb Ta Wb,
    b10 Ac Lc Nb Nc Wa;
16: a01 Ec Fc Lb Nc Tb Wb, a02 Ea Ec Lb Nb Tc Wb, a04 Ab Ea Fa La Lc Nc Tc Wb Wc, a05 Ab Ea Fc La Tb Wb
    Wc, a07 Ea Fa Fb La Lb Nb Td Wa, b01 Aa Eb Fa La Lc Tb Wa Wb, b02 Aa Eb Fd Lb Wb, b03 Ad Ea Fa Fd La
    Nb Ta Wb, b09 Ab Eb Fb La Lb Wb, b10 Aa Eb Fb Lb Tb Td Wa Wb
"""


def names() -> frozenset[str]:
    """The names of the 535 recordings."""
    listed: set[str] = set()
    for block in RELEASED.split(";"):
        speaker, texts = block.strip().split(":")
        for entry in texts.split(","):
            text, *versions = entry.split()
            listed.update(f"{speaker}{text}{version}" for version in versions)
    return frozenset(listed)


_BY_EMOTION = {
    "neutral": 79,
    "happy": 71,
    "sad": 62,
    "angry": 127,
    "fearful": 69,
    "disgust": 46,
    "boredom": 81,
}

EMODB = Corpus(
    name="emodb",
    title="EMO-DB, Berlin Database of Emotional Speech",
    summary="10 actors speak ten German sentences in 7 emotions",
    language="de",
    licence="free for research",
    citation=(
        "Burkhardt, F., Paeschke, A., Rolfes, M., Sendlmeier, W. F. & Weiss, B. (2005). A Database of German "
        "Emotional Speech. Interspeech 2005, 1517-1520"
    ),
    doi="10.21437/Interspeech.2005-446",
    homepage="http://emodb.bilderbar.info",
    people="10 actors, 5 women and 5 men, of 21 to 35 years, who speak German",
    setting="acted, in an anechoic chamber, ten fixed sentences",
    layout="wav/SSTTTEv.wav",
    parse=parse,
    expected=Expected(535, 10, _BY_EMOTION, {"speech": 535}),
    names=lambda present: names(),
    sentences=SENTENCES,
    companions=("lablaut/*", "labsilb/*", "silb/*", "*.lab", "*.lablaut", "*.labsilb"),
    archives=(Archive("download.zip", "http://emodb.bilderbar.info/download/download.zip"),),
)
