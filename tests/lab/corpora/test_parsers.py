"""Each corpus's grammar, on its regular names, its irregular ones and what is none of them."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocemo.emotions import EMOTIONS
from vocemo.lab.corpora import CORPORA, Corpus, Labels, Refusal
from vocemo.lab.corpora import crema_d as crema_d_file

PARSED = [CORPORA[name] for name in CORPORA if CORPORA[name].parse is not None]
NAMED = [corpus for corpus in PARSED if corpus.name not in ("crema-d", "tess")]


def parse(corpus: str, path: str) -> Labels:
    parser = CORPORA[corpus].parse
    assert parser is not None
    labels = parser(PurePosixPath(path))
    assert isinstance(labels, Labels), labels
    return labels


def refusal(corpus: str, path: str) -> str:
    parser = CORPORA[corpus].parse
    assert parser is not None
    refused = parser(PurePosixPath(path))
    assert isinstance(refused, Refusal), refused
    return refused.reason


@pytest.mark.parametrize("corpus", NAMED, ids=lambda c: c.name)
def test_the_names_of_a_release_are_as_many_as_its_expected_counts(corpus: Corpus) -> None:
    assert corpus.expected is not None
    names = corpus.names(frozenset()) - corpus.known_flaws.keys()
    labels = [parse(corpus.name, f"{name}.wav") for name in names]
    assert len(labels) == corpus.expected.total
    assert Counter(label.emotion for label in labels) == corpus.expected.by_emotion
    assert Counter(label.channel for label in labels) == corpus.expected.by_channel
    assert len({label.speaker for label in labels}) == corpus.expected.speakers
    assert {label.name for label in labels} == names


@pytest.mark.parametrize("corpus", PARSED, ids=lambda c: c.name)
def test_expected_counts_agree_with_themselves(corpus: Corpus) -> None:
    expected = corpus.expected
    assert expected is not None
    assert sum(expected.by_emotion.values()) == sum(expected.by_channel.values()) == expected.total
    assert set(expected.by_emotion) <= {*EMOTIONS, "boredom"}


@pytest.mark.parametrize("corpus", PARSED, ids=lambda c: c.name)
@given(path=st.text(max_size=30))
def test_a_parser_never_fails_whatever_the_name(corpus: Corpus, path: str) -> None:
    assert corpus.parse is not None
    outcome = corpus.parse(PurePosixPath("dir", path.replace("/", "_").replace("\0", "_") + ".wav"))
    assert isinstance(outcome, Labels | Refusal)


def test_ravdess_labels() -> None:
    labels = parse("ravdess", "Actor_12/03-02-06-02-01-02-12.flac")
    assert labels == Labels(
        name="03-02-06-02-01-02-12",
        emotion="fearful",
        speaker="12",
        sex="female",
        intensity="strong",
        sentence="01",
        take="02",
        channel="song",
    )
    assert parse("ravdess", "03-01-01-01-01-01-01.wav").sex == "male"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("01-01-01-01-01-01-01.mp4", "modality 01"),
        ("03-03-01-01-01-01-01.wav", "channel 03"),
        ("03-01-09-01-01-01-01.wav", "emotion 09"),
        ("03-01-02-03-01-01-01.wav", "intensity 03"),
        ("03-01-02-01-01-01-25.wav", "actor 25"),
        ("03-01-01-02-01-01-01.wav", "neutral has no strong"),
        ("03-02-08-01-01-01-01.wav", "song has no emotion 08 (surprised)"),
        ("readme.wav", "seven two-digit numbers"),
    ],
)
def test_ravdess_refuses_with_a_reason(name: str, reason: str) -> None:
    assert reason in refusal("ravdess", name)


@pytest.mark.parametrize(
    ("letter", "emotion"),
    [
        ("W", "angry"),
        ("L", "boredom"),
        ("E", "disgust"),
        ("A", "fearful"),
        ("F", "happy"),
        ("T", "sad"),
        ("N", "neutral"),
    ],
)
def test_emodb_letters(letter: str, emotion: str) -> None:
    labels = parse("emodb", f"wav/16b10{letter}b.WAV")
    assert (labels.emotion, labels.speaker, labels.sex, labels.sentence, labels.take) == (
        emotion,
        "16",
        "female",
        "b10",
        "b",
    )


def test_emodb_refuses_speakers_texts_and_letters_that_it_lacks() -> None:
    assert "speaker 04" in refusal("emodb", "04a01Fa.wav")
    assert "text a03" in refusal("emodb", "03a03Fa.wav")
    assert "letter X" in refusal("emodb", "03a01Xa.wav")


@pytest.mark.parametrize(
    ("path", "name", "take"),
    [
        ("anger/a01 (1).wav", "a01 (1)", None),
        ("fear/f10 (01).wav", "f10 (1)", None),
        ("sadness/s01 (5)b.wav", "s01 (5)b", "b"),
        ("Anger/A06 (5)B.WAV", "a06 (5)b", "b"),
        ("disgust/d03(01).wav", "d03 (1)", None),
    ],
)
def test_aesdd_regular_and_irregular_names(path: str, name: str, take: str | None) -> None:
    labels = parse("aesdd", path)
    assert (labels.name, labels.take, labels.sex) == (name, take, None)


def test_aesdd_refuses_a_letter_in_another_emotions_folder() -> None:
    assert refusal("aesdd", "fear/a01 (1).wav") == "emotion letter a (anger) lies in the folder 'fear'"
    assert "utterance 21" in refusal("aesdd", "a21 (1).wav")
    assert "speaker 7" in refusal("aesdd", "a01 (7).wav")


@pytest.mark.parametrize(
    ("path", "name", "emotion"),
    [
        ("OAF_angry/OAF_back_angry.wav", "OAF_back_angry", "angry"),
        ("507testYAF_germ_angry29.wav", "YAF_germ_angry", "angry"),
        ("751testOA_bite_neutral48.wav", "OAF_bite_neutral", "neutral"),
        ("762testOAF_food_fear52.wav", "OAF_food_fear", "fearful"),
        ("OAF_Pleasant_surprise/OAF_back_ps.wav", "OAF_back_ps", "surprised"),
        ("YAF_pleasant_surprised/yaf_back_PS.wav", "YAF_back_ps", "surprised"),
        ("OA_bite_neutral.wav", "OAF_bite_neutral", "neutral"),
    ],
)
def test_tess_releases(path: str, name: str, emotion: str) -> None:
    labels = parse("tess", path)
    assert (labels.name, labels.emotion, labels.sex) == (name, emotion, "female")


def test_tess_completes_the_words_that_are_there() -> None:
    assert len(CORPORA["tess"].names(frozenset({"OAF_back_angry", "YAF_bar_sad"}))) == 2 * 2 * 7
    assert "talker xaf" in refusal("tess", "XAF_back_angry.wav")
    assert "emotion bored" in refusal("tess", "OAF_back_bored.wav")


def test_savee_in_one_folder_and_in_a_folder_a_talker() -> None:
    assert parse("savee", "ALL/DC_sa01.wav") == parse("savee", "AudioData/dc/SA01.wav")
    assert parse("savee", "KL/n30.wav").emotion == "neutral"
    assert "sentence 16" in refusal("savee", "KL/a16.wav")
    assert "names a talker" in refusal("savee", "AudioData/a01.wav")
    assert "talker XX" in refusal("savee", "XX_a01.wav")


def test_crema_d_levels_sexes_and_the_short_one() -> None:
    assert parse("crema-d", "1001_IEO_ANG_HI.wav").intensity == "high"
    labels = parse("crema-d", "1040_ITH_SAD_X.wav")
    assert (labels.name, labels.intensity, labels.sex) == ("1040_ITH_SAD_XX", None, "male")
    assert parse("crema-d", "1091_DFA_NEU_XX.mp3").sex == "female"
    assert "actor 1092" in refusal("crema-d", "1092_DFA_NEU_XX.wav")
    assert "sentence ABC" in refusal("crema-d", "1001_ABC_NEU_XX.wav")


def test_crema_d_has_43_women_and_48_men_as_published() -> None:
    assert len(crema_d_file.WOMEN) == 43
    assert len(crema_d_file.ACTORS - crema_d_file.WOMEN) == 48
