"""Recipes: what they hold, what `--set` changes, and what is said of a wrong one."""

from __future__ import annotations

import dataclasses
import json
import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocemo.emotions import EMOTIONS
from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab import recipe as recipes
from vocemo.lab import recipe_check
from vocemo.lab.recipe import Recipe
from vocemo.lab.recipe_options import TrainingOptions

RECIPE = "dual-channel-cnn"
MINIMAL = """
name = "mine"
emotions = ["happy", "boredom"]
[front_end]
name = "mfcc-mel"
[model]
name = "dual-channel-cnn"
"""

every_recipe = pytest.mark.parametrize("name", recipes.names())


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL, encoding="utf-8")
    return path


@every_recipe
def test_every_packaged_recipe_loads_and_can_be_built(name: str) -> None:
    recipe = recipes.load(name)
    assert recipe.name == name
    assert recipe.summary and recipe.source
    recipe_check.check(recipe)


@every_recipe
def test_a_recipe_survives_plain_data_and_json(name: str) -> None:
    recipe = recipes.load(name)
    assert recipes.from_dict(recipe.to_dict()) == recipe
    again = recipes.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    assert again.sha256 == recipe.sha256


def test_a_file_of_ones_own_takes_every_default(own: Path) -> None:
    recipe = recipes.load(str(own))
    assert recipe.emotions == ("happy", "boredom")
    assert recipe.training == TrainingOptions()
    assert recipe.augmentation.pool == 0
    recipe_check.check(recipe)


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("training.epochs=3", 3),
        ("training.learning_rate=1", 1.0),
        ("training.balance_classes=true", True),
        ("training.monitor=uar", "uar"),
        ('training.monitor="uar"', "uar"),
        ("training.crop_s=none", None),
        (" training.crop_s = 1.5 ", 1.5),
        ("model.widths=[4, 8]", [4, 8]),
        ("model.attention.heads=2", {"heads": 2}),
        ("front_end.bands=20", 20),
        ("augmentation.live=[]", ()),
        ("preparation.level=peak", "peak"),
        ("preparation.trim_below_peak_db=none", None),
        ("preparation.noise_reduction=none", "none"),
        ("preparation.length_s=3", 3.0),
        ("name=other", "other"),
    ],
)
def test_set_replaces_one_value(override: str, value: object) -> None:
    changed, before = recipes.load(RECIPE, [override]).to_dict(), recipes.load(RECIPE).to_dict()
    key, *below = override.partition("=")[0].strip().split(".")
    if not below:
        assert changed.pop(key) == value
    else:
        found = changed[key].pop(below[0])
        assert found == (list(value) if isinstance(value, tuple) else value)
        before[key].pop(below[0], None)
    before.pop(key if not below else "", None)
    assert changed == before


def test_of_two_settings_of_one_key_the_last_holds() -> None:
    assert recipes.load(RECIPE, ["training.epochs=3", "training.epochs=4"]).training.epochs == 4


@pytest.mark.parametrize("missing", ["augmentation.pool=0", "augmentation.pooled=[]"])
def test_enlarging_needs_variants(missing: str) -> None:
    enlarge = "augmentation.enlarge=balance"
    assert recipes.load(RECIPE, [enlarge]).augmentation.enlarge == "balance"
    with pytest.raises(UsageError, match=r"needs augmentation\.pool of 1 or more and augmentation\.pooled"):
        recipes.load(RECIPE, [enlarge, missing])


@pytest.mark.parametrize(
    "override",
    [
        "training.epochs=3",
        "training.min_learning_rate=0",
        "preparation.level_db=-20",
        "model.dropout=0.1",
        "front_end.hop=256",
        "augmentation.pool=1",
        "augmentation.live=[]",
        'emotions=["happy", "sad"]',
        "summary=other",
    ],
)
def test_the_digest_changes_with_any_value(override: str) -> None:
    assert recipes.load(RECIPE, [override]).sha256 != recipes.load(RECIPE).sha256


def test_the_digest_is_that_of_the_values_and_not_of_how_they_were_written(own: Path) -> None:
    plain = recipes.load(str(own))
    defaults = dataclasses.asdict(TrainingOptions())
    written = [f"training.{key}={'none' if v is None else json.dumps(v)}" for key, v in defaults.items()]
    assert recipes.load(str(own), written).sha256 == plain.sha256
    assert (
        recipes.load(str(own), ["training.learning_rate=1"]).sha256
        == recipes.load(str(own), ["training.learning_rate=1.0"]).sha256
    )
    shuffled = dict(reversed(plain.to_dict().items()))
    assert recipes.from_dict(shuffled).sha256 == plain.sha256


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("colour=red", ["name", "emotions", "front_end", "model", "training"]),
        ("training.epoch=3", ["epochs", "batch_size", "did you mean 'epochs'"]),
        ("training.monitor=accuracy", ["loss", "uar"]),
        ("augmentation.pol=1", ["pool", "pooled", "live"]),
        ("preparation.trim=3", ["trim_below_peak_db", "level"]),
        ("preparation.level=loud", ["peak", "rms", "none"]),
        ('emotions=["hapy", "sad"]', ["happy", "disgust"]),
        ('emotions=["Happy", "sad"]', ["happy"]),
        ('emotions=["happiness", "sad"]', ["happy"]),
        ("model.name=resnet", ["dual-channel-cnn"]),
        ("model.width=3", ["widths", "hidden", "dropout"]),
        ("front_end.name=mfccs", ["mfcc", "mfcc-mel"]),
        ("front_end.n_mels=3", ["n_fft", "hop", "bands"]),
        ("augmentation.live=[{name='noize'}]", ["noise", "pitch-shift", "time-shift", "speed"]),
        ("augmentation.pooled=[{name='noise', snr=3}]", ["min_snr_db", "max_snr_db"]),
        ("augmentation.pooled.pitch.p=1", ["did you mean 'pitch-shift'", "speed", "0, 1"]),
        ("augmentation.pooled.2.p=1", ["pitch-shift", "speed", "0, 1"]),
        ("augmentation.live.noise.snr=3", ["min_snr_db", "max_snr_db"]),
        ("augmentation.enlarge=lots", ["none, all, balance"]),
        ("preparation.noise_reduction=yes", ["none, stationary, nonstationary"]),
        ("preparation.crop=end", ["start, centre"]),
    ],
)
def test_an_unknown_name_is_answered_with_the_valid_ones(override: str, named: list[str]) -> None:
    with pytest.raises(UnknownNameError) as caught:
        recipe_check.check(recipes.load(RECIPE, [override]))
    assert all(name in str(caught.value) for name in named)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("training.epochs=many", "training.epochs is 'many'; valid: a whole number"),
        ("training.epochs=2.5", "a whole number"),
        ("training.epochs=0", "1 or more"),
        ("training.batch_size=0", "1 or more"),
        ("training.batch_size=1", "no batch of 1"),
        ("training.learning_rate=-1", "above 0"),
        ("training.learning_rate=nan", "a number"),
        ("training.learning_rate=true", "a number"),
        ("training.plateau_factor=1", "below 1"),
        ("training.label_smoothing=1", "below 1"),
        ("training.crop_s=0", "0.1 or more, or none"),
        ("training.balance_classes=1", "true, false"),
        ("training=5", "training.KEY=VALUE"),
        ("preparation=5", "preparation.KEY=VALUE"),
        ("augmentation.pool=-1", "0 or more"),
        ("augmentation.pool=few", "a whole number"),
        ("augmentation.enlarge=some", "none, all, balance"),
        ("augmentation.live=noise", "a list of tables"),
        ("augmentation.live=['noise']", "a table"),
        ("emotions=happy", "a list of names"),
        ('emotions=["happy"]', "two or more"),
        ('emotions=["happy", "happy"]', "two or more different"),
        ("model=dual-channel-cnn", "a table with a name"),
        ("model.dropout=2", "dropout=2"),
        ("model.widths=wide", "widths is 'wide'; valid: a list, such as [1, 2]"),
        ("model.widths=[4,8,8,8,8,8,8,8]", "take no clip"),
        ("front_end.bands=none", "bands is 'none'; valid: a whole number"),
        ("training.epochs", "key=value"),
        ("=3", "key=value"),
        ("name.first=3", "'name' holds a value"),
        ("training..epochs=3", "key=value"),
        ("emotions=[happy, sad]", 'words need quotes, such as ["happy", "sad"]'),
        ("augmentation.live=1", "a list of tables"),
        ("augmentation.live.=1", "key=value"),
        ("for.emodb.training=1", "stand in a recipe's file"),
        ("front_end=mel", "front_end.name=NAME"),
        ("front_end.bands=many", "bands is 'many'; valid: a whole number"),
        ("front_end.bands=2.5", "valid: a whole number"),
        ("model.dropout=high", "dropout is 'high'; valid: a number"),
        ("model.widths=3", "widths is 3; valid: a list, such as [1, 2]"),
        ("model.widths=[a]", "words need quotes"),
        ("preparation.length_s=long", "preparation.length_s is 'long'; valid: a number, or none"),
        ("preparation.sample_rate=fast", "valid: a whole number"),
        ("preparation.remove_dc=1", "valid: true, false"),
    ],
)
def test_a_wrong_value_is_answered_with_what_is_valid(override: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        recipe_check.check(recipes.load(RECIPE, [override]))
    assert said in str(caught.value)


@given(
    st.sampled_from([f.name for f in dataclasses.fields(TrainingOptions)]),
    st.one_of(st.text(string.printable, max_size=8), st.floats().map(str), st.integers().map(str)),
)
def test_whatever_is_set_is_taken_or_refused_on_purpose(key: str, text: str) -> None:
    try:
        recipe = recipes.load(RECIPE, [f"training.{key}={text}"])
    except UsageError:
        return
    assert recipes.from_dict(recipe.to_dict()) == recipe


@pytest.mark.parametrize("lost", ["name", "emotions", "front_end", "model"])
def test_what_is_missing_is_named(lost: str) -> None:
    table = recipes.load(RECIPE).to_dict()
    del table[lost]
    with pytest.raises(UsageError, match=f"no '{lost}'"):
        recipes.from_dict(table)


def test_a_wrong_recipe_names_the_right_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'dual-channel-cnn'"):
        recipes.load("dual-chanel-cnn")
    with pytest.raises(UsageError, match=RECIPE):
        recipes.load(str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("content", "said"), [(b"name = ", "not valid TOML"), (b"name = '\xff'", "UTF-8"), (b"", "no 'name'")]
)
def test_a_broken_file_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        recipes.load(str(path))


def test_every_emotion_of_the_vocabulary_can_be_asked_for() -> None:
    recipe: Recipe = recipes.load(RECIPE, [f"emotions={json.dumps([*EMOTIONS, 'boredom'])}"])
    assert recipe.emotions == (*EMOTIONS, "boredom")


def test_a_corpus_may_have_values_of_its_own() -> None:
    """EMO-DB has seven emotions of its own; RAVDESS folds calm into neutral."""
    usual = recipes.load("mel-cnn2d", corpora=["ravdess-speech"])
    own = recipes.load("mel-cnn2d", corpora=["emodb"])
    assert usual == recipes.load("mel-cnn2d") == recipes.load("mel-cnn2d", corpora=["ravdess", "emodb"])
    assert "surprised" in usual.emotions and usual.relabel == {"calm": "neutral"}
    assert "boredom" in own.emotions and "surprised" not in own.emotions and not own.relabel
    assert dataclasses.replace(own, emotions=usual.emotions, relabel=usual.relabel) == usual
    assert recipes.load("mel-cnn2d", ['emotions=["happy", "sad"]'], ["emodb"]).emotions == ("happy", "sad")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("relabel.calm=serene", "serene"),
        ("relabel.sad=neutral", "none of the recipe's own"),
        ("relabel=calm", "relabel.KEY=VALUE"),
    ],
)
def test_what_counts_as_another_emotion_is_checked(override: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        recipes.load("mel-cnn2d", [override])


def test_one_transform_of_a_list_is_changed_by_its_name_or_its_place() -> None:
    before = recipes.load(RECIPE).augmentation
    for key in ("pitch-shift", "0"):
        changed = recipes.load(RECIPE, [f"augmentation.pooled.{key}.semitones=5"]).augmentation
        assert changed.pooled[0] == {**before.pooled[0], "semitones": 5}
        assert (changed.pooled[1], changed.live) == (before.pooled[1], before.live)


def test_corpora_of_a_recipe_are_known_ones(own: Path) -> None:
    own.write_text(MINIMAL + "[for.emo]\nrelabel = {}\n", encoding="utf-8")
    with pytest.raises(UnknownNameError, match=r"'emo'.*did you mean 'emodb'.*ravdess"):
        recipes.load(str(own))
