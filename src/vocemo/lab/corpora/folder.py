"""A user's own recordings in folders: `folder:DIR`.

    DIR/emotion/file            the speaker is not known
    DIR/emotion/speaker/file    each speaker in a folder of that name, in as many emotions as there are

The emotion's folder may carry any name; `happiness`, `Joy` and `happy` are one (`emotions.canonical`). A
file whose speaker is not known has the speaker `folder/unknown`; the manifest's `speakers_known` is
then false, and protocols that need speakers refuse it.
"""

from __future__ import annotations

from pathlib import Path

from vocemo.emotions import canonical
from vocemo.lab.corpora import tree
from vocemo.lab.corpora.clip import Clip, Refused, speaker_of
from vocemo.lab.corpora.corpus import Corpus, Scan

NAME = "folder"


def scan(root: Path) -> Scan:
    """Sort the files below a folder by the folders that they lie in.

    Errors: CorpusError when the folder is not there.
    """
    clips: dict[str, Clip] = {}
    refused: list[Refused] = []
    other: list[Path] = []
    for path in tree.files_below(root):
        relative = path.relative_to(root)
        if not tree.is_audio_name(path):
            other.append(path)
        elif any(part.startswith((".", "__MACOSX")) for part in relative.parts):
            refused.append(Refused(path, "it lies in a hidden folder"))
        elif len(relative.parts) < 2:
            refused.append(Refused(path, "it lies in no emotion's folder"))
        else:
            speaker = relative.parts[1] if len(relative.parts) > 2 else None
            clips[relative.as_posix()] = Clip(
                path=path,
                corpus=NAME,
                emotion=canonical(relative.parts[0]),
                speaker=speaker_of(NAME, speaker),
            )
    return Scan(dict(sorted(clips.items())), (), tuple(refused), tuple(other))


FOLDER = Corpus(
    name=NAME,
    title="your own recordings, a folder for each emotion",
    summary="DIR/emotion/file, or DIR/emotion/speaker/file where the speakers are known",
    language=None,
    licence="yours",
    citation="",
    doi=None,
    homepage=None,
    layout="emotion/file or emotion/speaker/file",
    scan=scan,
    names_repeat=True,
    obtain="it is yours to bring",
)
