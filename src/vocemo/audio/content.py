"""What a recording is, by its first bytes: the suffix of a name is never looked at."""

from __future__ import annotations

from dataclasses import dataclass

from vocemo.audio.source import OpenSource
from vocemo.errors import EmptyAudioError, NotAudioError

HEAD_BYTES = 4096
ID3_HEADER_BYTES = 10


@dataclass(frozen=True)
class Content:
    """A container, whether libsndfile reads it, and FFmpeg's name for its demuxer.

    The demuxer is always named to FFmpeg. Left to guess, it would take text for a playlist and
    open whatever addresses and files that text names.
    """

    container: str
    soundfile: bool
    demuxer: str | None


WAV = Content("WAV", True, "wav")
AIFF = Content("AIFF", True, "aiff")
FLAC = Content("FLAC", True, "flac")
OGG = Content("OGG", True, "ogg")
MP3 = Content("MP3", True, "mp3")
CAF = Content("CAF", True, "caf")
AU = Content("AU", True, "au")
W64 = Content("W64", True, "w64")
NIST = Content("NIST SPHERE", True, None)
VOC = Content("VOC", True, "voc")
MP4 = Content("MP4", False, "mov")
MATROSKA = Content("WebM/Matroska", False, "matroska")
AAC = Content("AAC", False, "aac")
ASF = Content("ASF/WMA", False, "asf")
AVI = Content("AVI", False, "avi")
AMR = Content("AMR", False, "amr")
FLV = Content("FLV", False, "flv")
MPEG_TS = Content("MPEG-TS", False, "mpegts")

_AUDIO: tuple[tuple[bytes, Content], ...] = (
    (b"fLaC", FLAC),
    (b"OggS", OGG),
    (b"caff", CAF),
    (b".snd", AU),
    (b"riff\x2e\x91\xcf\x11", W64),
    (b"NIST_1A", NIST),
    (b"Creative Voice File", VOC),
    (b"\x1a\x45\xdf\xa3", MATROSKA),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", ASF),
    (b"#!AMR", AMR),
    (b"FLV\x01", FLV),
)

_NOT_AUDIO: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MThd", "a MIDI score, which holds notes and no sound"),
    (b"version https://git-lfs", "a Git LFS pointer; fetch the recording itself (git lfs pull)"),
)

MP4_ATOMS = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp")


def sniff(source: OpenSource) -> Content:
    """The container of a source.

    errors: EmptyAudioError for a source of no bytes; NotAudioError for content that is no known
        audio, naming what it is where that is known.
    """
    if source.size == 0:
        raise EmptyAudioError(f"{source.name}: is empty (0 bytes)")
    head = source.head(HEAD_BYTES)
    content = _match(head)
    if content is None and head.startswith(b"ID3"):
        behind = source.head(HEAD_BYTES, ID3_HEADER_BYTES + id3_size(head))
        content = _match(behind) or MP3
    if content is None:
        raise NotAudioError(f"{source.name}: {_describe(head)}")
    return content


def _match(head: bytes) -> Content | None:
    for magic, content in _AUDIO:
        if head.startswith(magic):
            return content
    form = head[8:12]
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and form == b"WAVE":
        return WAV
    if head[:4] == b"RIFF" and form == b"AVI ":
        return AVI
    if head[:4] == b"FORM" and form in (b"AIFF", b"AIFC"):
        return AIFF
    if head[4:8] in MP4_ATOMS:
        return MP4
    if head[:1] == b"\x47" and head[188:189] == b"\x47" and head[376:377] in (b"\x47", b""):
        return MPEG_TS
    return _mpeg_audio(head)


def _mpeg_audio(head: bytes) -> Content | None:
    """MP3 or ADTS AAC by the sync word of a first frame (ISO/IEC 11172-3, 2.4.1.3; 13818-7, 6.2)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        return AAC
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    valid = version != 1 and layer != 0 and bitrate != 15 and rate != 3
    return MP3 if valid else None


def id3_size(head: bytes) -> int:
    """Bytes of an ID3v2 tag behind its header: four bytes of seven bits each."""
    size = 0
    for byte in head[6:ID3_HEADER_BYTES]:
        size = size << 7 | byte & 0x7F
    return size


def _describe(head: bytes) -> str:
    for magic, name in _NOT_AUDIO:
        if head.startswith(magic):
            return f"is {name}, not audio"
    if not any(head):
        return "holds only zero bytes, not audio"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "is a web page, not audio"
    if _is_text(head):
        return "is text, not audio"
    return "is no audio of a known format"


def _is_text(head: bytes) -> bool:
    try:
        # A cut in the middle of a character is none of the text's fault.
        text = head.decode("utf-8") if len(head) < HEAD_BYTES else head[:-4].decode("utf-8", "ignore")
    except UnicodeDecodeError:
        return False
    return bool(text) and all(c.isprintable() or c in "\t\r\n\f" for c in text)
