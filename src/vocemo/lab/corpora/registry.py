"""The corpora that vocemo knows, by name."""

from __future__ import annotations

from vocemo.lab.corpora import aesdd, crema_d, emodb, folder, ravdess, savee, table, tess
from vocemo.lab.corpora.corpus import Corpus
from vocemo.lab.registry import Registry

CORPORA: Registry[Corpus] = Registry("corpus")

for _corpus in (
    ravdess.RAVDESS,
    ravdess.RAVDESS_SPEECH,
    ravdess.RAVDESS_SONG,
    emodb.EMODB,
    aesdd.AESDD,
    tess.TESS,
    crema_d.CREMA_D,
    savee.SAVEE,
    folder.FOLDER,
    table.TABLE,
):
    CORPORA.add(_corpus.name, _corpus)
