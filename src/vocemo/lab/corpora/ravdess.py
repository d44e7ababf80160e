"""RAVDESS: the Ryerson Audio-Visual Database of Emotional Speech and Song.

Origin: SMART Lab, Ryerson University, Toronto; https://zenodo.org/records/1188976
Licence: CC BY-NC-SA 4.0
Citation: Livingstone, S. R. & Russo, F. A. (2018). PLoS ONE 13(5): e0196391,
doi:10.1371/journal.pone.0196391

File names: `MM-CC-EE-II-SS-RR-AA.wav` in `Actor_AA/`, two digits each:

    MM  modality     03 audio alone (01 and 02 are films, which are not read)
    CC  channel      01 speech, 02 song
    EE  emotion      01 neutral, 02 calm, 03 happy, 04 sad, 05 angry, 06 fearful, 07 disgust, 08 surprised
    II  intensity    01 normal, 02 strong (neutral has no strong)
    SS  statement    01 "Kids are talking by the door", 02 "Dogs are sitting by the door"
    RR  repetition   01, 02
    AA  actor        01 to 24; odd male, even female

Song has no disgust and no surprise, and no actor 18. The publisher's own speech archive holds one
recording of actor 07 under two names (`known_duplicates`).
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from vocemo.emotions import EMOTIONS
from vocemo.lab.corpora.clip import Channel
from vocemo.lab.corpora.corpus import Archive, Corpus, Expected, Labels, Refusal

CHANNELS: dict[str, Channel] = {"01": "speech", "02": "song"}
INTENSITIES = {"01": "normal", "02": "strong"}
SENTENCES = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
EMOTION_OF = {f"{n:02d}": emotion for n, emotion in enumerate(EMOTIONS, start=1)}
SUNG = ("01", "02", "03", "04", "05", "06")
ACTORS = tuple(f"{n:02d}" for n in range(1, 25))
NOT_SINGING = "18"

_NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")


def parse(path: PurePosixPath) -> Labels | Refusal:
    """The labels in a file's name.

    >>> parse(PurePosixPath("Actor_12/03-01-06-02-02-01-12.wav")).emotion
    'fearful'
    >>> parse(PurePosixPath("03-02-07-01-01-01-01.wav")).reason
    'song has no emotion 07 (disgust)'
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return Refusal("the name is not seven two-digit numbers joined by '-'")
    modality, channel, emotion, intensity, statement, repetition, actor = match.groups()
    if modality != "03":
        return Refusal(f"modality {modality} is not 03 (audio alone)")
    for what, code, valid in (
        ("channel", channel, tuple(CHANNELS)),
        ("emotion", emotion, tuple(EMOTION_OF)),
        ("intensity", intensity, tuple(INTENSITIES)),
        ("statement", statement, tuple(SENTENCES)),
        ("repetition", repetition, ("01", "02")),
        ("actor", actor, ACTORS),
    ):
        if code not in valid:
            return Refusal(f"{what} {code} is not in {valid[0]} to {valid[-1]}")
    if CHANNELS[channel] == "song" and emotion not in SUNG:
        return Refusal(f"song has no emotion {emotion} ({EMOTION_OF[emotion]})")
    if EMOTION_OF[emotion] == "neutral" and INTENSITIES[intensity] == "strong":
        return Refusal("neutral has no strong intensity")
    return Labels(
        name=path.stem,
        emotion=EMOTION_OF[emotion],
        speaker=actor,
        sex="male" if int(actor) % 2 else "female",
        intensity=INTENSITIES[intensity],
        sentence=statement,
        take=repetition,
        channel=CHANNELS[channel],
    )


def names_of(channel: str) -> frozenset[str]:
    """Every name of one channel, "01" speech or "02" song."""
    return frozenset(
        f"03-{channel}-{emotion}-{intensity}-{statement}-{repetition}-{actor}"
        for emotion in (EMOTION_OF if CHANNELS[channel] == "speech" else SUNG)
        for intensity in (("01",) if emotion == "01" else ("01", "02"))
        for statement in SENTENCES
        for repetition in ("01", "02")
        for actor in ACTORS
        if CHANNELS[channel] == "speech" or actor != NOT_SINGING
    )


def _expected(
    clips_each: int, neutral: int, emotions: tuple[str, ...], actors: int, channel: str
) -> Expected:
    by_emotion = {e: neutral if e == "neutral" else clips_each for e in emotions}
    total = sum(by_emotion.values())
    return Expected(total, actors, by_emotion, {channel: total})


_SPEECH = _expected(192, 96, EMOTIONS, 24, "speech")
_SONG = _expected(184, 92, EMOTIONS[:6], 23, "song")
_BOTH = Expected(
    _SPEECH.total + _SONG.total,
    24,
    {e: n + _SONG.by_emotion.get(e, 0) for e, n in _SPEECH.by_emotion.items()},
    {**_SPEECH.by_channel, **_SONG.by_channel},
)

_RECORD = "https://zenodo.org/records/1188976/files"
_SPEECH_ARCHIVE = Archive(
    "Audio_Speech_Actors_01-24.zip",
    f"{_RECORD}/Audio_Speech_Actors_01-24.zip?download=1",
    size_bytes=208_468_073,
    md5="bc696df654c87fed845eb13823edef8a",
    folder="Audio_Speech_Actors_01-24",
    channel="speech",
)
_SONG_ARCHIVE = Archive(
    "Audio_Song_Actors_01-24.zip",
    f"{_RECORD}/Audio_Song_Actors_01-24.zip?download=1",
    size_bytes=225_505_317,
    md5="5411230427d67a21e18aa4d466e6d1b9",
    folder="Audio_Song_Actors_01-24",
    channel="song",
)
_SAME_TAKE = frozenset({"03-01-03-01-02-01-07", "03-01-03-01-02-02-07"})


def _corpus(
    name: str,
    title: str,
    folder: str,
    channel: Channel | None,
    expected: Expected,
    codes: tuple[str, ...],
    archives: tuple[Archive, ...],
) -> Corpus:
    everything = frozenset().union(*(names_of(code) for code in codes))
    return Corpus(
        name=name,
        title=title,
        summary="24 actors speak and sing two sentences in 8 emotions, at two intensities",
        language="en",
        licence="CC BY-NC-SA 4.0",
        citation=(
            "Livingstone, S. R. & Russo, F. A. (2018). The Ryerson Audio-Visual Database of Emotional Speech "
            "and Song (RAVDESS). PLoS ONE 13(5): e0196391"
        ),
        doi="10.1371/journal.pone.0196391",
        homepage="https://zenodo.org/records/1188976",
        people=(
            "24 professional actors, 12 women and 12 men, of 21 to 33 years (mean 26.0), with English as "
            "their first "
            "language and a North American accent; 20 call themselves Caucasian, 2 East-Asian, 2 mixed"
        ),
        setting="acted, in a studio, two fixed sentences",
        layout=f"{folder}/Actor_NN/03-CC-EE-II-SS-RR-NN.wav",
        parse=parse,
        key="ravdess",
        channel=channel,
        expected=expected,
        names=lambda present: everything,
        sentences=SENTENCES,
        known_duplicates=(_SAME_TAKE,) if "01" in codes else (),
        archives=archives,
    )


RAVDESS = _corpus(
    "ravdess",
    "RAVDESS, speech and song",
    "Audio_{Speech,Song}_Actors_01-24",
    None,
    _BOTH,
    ("01", "02"),
    (_SPEECH_ARCHIVE, _SONG_ARCHIVE),
)
RAVDESS_SPEECH = _corpus(
    "ravdess-speech",
    "RAVDESS, speech",
    "Audio_Speech_Actors_01-24",
    "speech",
    _SPEECH,
    ("01",),
    (_SPEECH_ARCHIVE,),
)
RAVDESS_SONG = _corpus(
    "ravdess-song",
    "RAVDESS, song",
    "Audio_Song_Actors_01-24",
    "song",
    _SONG,
    ("02",),
    (_SONG_ARCHIVE,),
)
