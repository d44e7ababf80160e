"""Speak the synthetic sample clips: one phrase, eight manners of saying it, no recording of anybody.

A small formant synthesiser after Klatt (1980, "Software for a cascade/parallel formant synthesizer",
JASA 67): glottal pulses (Klatt and Klatt 1990, "Analysis, synthesis, and perception of voice quality
variations among female and male talkers", JASA 87) with jitter, shimmer and breath noise pass through a
cascade of five resonators whose frequencies move from sound to sound; hiss and bursts bypass the cascade.
It computes with NumPy alone, and makes the same clips every time.

The manners follow what listeners and measurements agree on, as reviewed by Scherer (2003, "Vocal
communication of emotion: A review of research paradigms", Speech Communication 40) and Juslin and Laukka
(2003, "Communication of emotions in vocal expression and music performance: Different channels, same code?",
Psychological Bulletin 129): pitch and its range, loudness, rate, energy at high frequencies, irregularity
of the voice, rising or falling ends. Calm, disgust and surprise are less well established there than the
others. The clips are caricatures to try a classifier with, and no test set.

Usage: python scripts/make_samples.py [DIRECTORY]
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

Array = NDArray[np.float64]

SAMPLE_RATE = 16_000  # Hz
OVERSAMPLING = 4  # the glottal pulse has corners: drawn at 64 kHz, then band-limited
BLOCK = 40  # samples between two settings of the resonators: 2.5 ms
SILENCE_S = 0.35  # at the least, before and after the phrase
LENGTH_S = 3.3  # at the least: as long as the clips that models of acted speech are trained on
FLOOR_DB = -72.0  # dBFS of the noise under everything, as a quiet room's
FORMANT_SCALE = 1.0  # the length of the vocal tract: 1 as an adult man's
UPPER_FORMANTS = ((3500.0, 220.0), (4500.0, 280.0))  # Hz: frequency and bandwidth of the fourth and fifth
BANDWIDTHS = (70.0, 90.0, 140.0)  # Hz, of the first three


@dataclass(frozen=True)
class Sound:
    """One target of the mouth: three formants in Hz, how long, how voiced, how hissed, how accented."""

    name: str
    formants_hz: tuple[float, float, float]
    duration_s: float
    voice: float = 1.0
    hiss: float = 0.0
    accent: float = 0.0


# "You see, we were away a year ago."
PHRASE = (
    Sound("j", (270, 2250, 3000), 0.06, voice=0.55),
    Sound("u", (310, 1250, 2250), 0.09),
    Sound("s", (330, 1700, 2600), 0.12, voice=0.0, hiss=1.0),
    Sound("i", (280, 2280, 3000), 0.19, accent=0.8),
    Sound("w", (300, 720, 2250), 0.07, voice=0.6),
    Sound("i", (310, 2150, 2850), 0.09),
    Sound("w", (300, 720, 2200), 0.07, voice=0.6),
    Sound("er", (480, 1280, 1680), 0.11),
    Sound("uh", (520, 1400, 2350), 0.06),
    Sound("w", (310, 700, 2250), 0.08, voice=0.6),
    Sound("e", (520, 1850, 2520), 0.13, accent=1.0),
    Sound("ih", (370, 2100, 2700), 0.08, accent=0.5),
    Sound("uh", (510, 1450, 2450), 0.06),
    Sound("j", (270, 2250, 3000), 0.06, voice=0.55),
    Sound("ih", (380, 2050, 2600), 0.12, accent=0.9),
    Sound("r", (450, 1300, 1650), 0.08),
    Sound("uh", (520, 1450, 2400), 0.06),
    Sound("g", (230, 1750, 2150), 0.05, voice=0.12),
    Sound("g", (260, 1700, 2100), 0.015, voice=0.3, hiss=0.35),
    Sound("o", (520, 950, 2400), 0.14, accent=0.9),
    Sound("oo", (370, 850, 2300), 0.13),
)


@dataclass(frozen=True)
class Manner:
    """How the phrase is said. The defaults are the neutral manner."""

    pitch_hz: float = 118.0
    range_semitones: float = 3.5  # from a phrase's unaccented to its accented syllables
    ending_semitones: float = -2.5  # by how much the last quarter falls, or rises
    rate: float = 1.0  # against the durations of PHRASE
    level_db: float = -26.0  # dBFS, root mean square of the phrase
    accent_db: float = 3.0  # how much louder accented syllables are
    tilt_hz: float = 2200.0  # corner of the source's low pass: low is soft, high is pressed
    open_quotient: float = 0.6  # share of a cycle in which the glottis is open: high is lax
    breath: float = 0.02  # noise against voice
    jitter: float = 0.006  # cycle-to-cycle change of pitch
    shimmer: float = 0.03  # cycle-to-cycle change of amplitude
    tremor_semitones: float = 0.0  # a slow shake of the pitch, 6.5 times a second
    formants: float = 1.0  # above 1: lips spread, as in a smile; below: rounded, drawn in


MANNERS: dict[str, Manner] = {
    "neutral": Manner(),
    "calm": Manner(
        pitch_hz=108,
        range_semitones=2.5,
        ending_semitones=-2.0,
        rate=0.86,
        level_db=-31,
        accent_db=2.0,
        tilt_hz=1200,
        open_quotient=0.68,
        breath=0.04,
    ),
    "happy": Manner(
        pitch_hz=178,
        range_semitones=8.5,
        ending_semitones=2.0,
        rate=1.12,
        level_db=-21,
        accent_db=5.0,
        tilt_hz=3600,
        open_quotient=0.55,
        formants=1.06,
    ),
    "sad": Manner(
        pitch_hz=104,
        range_semitones=1.5,
        ending_semitones=-3.0,
        rate=0.7,
        level_db=-35,
        accent_db=1.0,
        tilt_hz=800,
        open_quotient=0.75,
        breath=0.09,
        jitter=0.012,
        formants=0.97,
    ),
    "angry": Manner(
        pitch_hz=172,
        range_semitones=7.0,
        ending_semitones=-4.0,
        rate=1.18,
        level_db=-14,
        accent_db=7.0,
        tilt_hz=7500,
        open_quotient=0.42,
        jitter=0.018,
        shimmer=0.1,
        formants=1.02,
    ),
    "fearful": Manner(
        pitch_hz=215,
        range_semitones=3.0,
        ending_semitones=1.0,
        rate=1.28,
        level_db=-22,
        accent_db=3.0,
        tilt_hz=3200,
        open_quotient=0.6,
        breath=0.06,
        jitter=0.025,
        shimmer=0.08,
        tremor_semitones=0.7,
        formants=1.03,
    ),
    "disgust": Manner(
        pitch_hz=102,
        range_semitones=5.0,
        ending_semitones=-5.0,
        rate=0.8,
        level_db=-25,
        accent_db=6.0,
        tilt_hz=2500,
        open_quotient=0.45,
        jitter=0.03,
        shimmer=0.12,
        formants=0.94,
    ),
    "surprised": Manner(
        pitch_hz=190,
        range_semitones=11.0,
        ending_semitones=9.0,
        rate=1.0,
        level_db=-20,
        accent_db=4.0,
        tilt_hz=3400,
        open_quotient=0.58,
        breath=0.04,
    ),
}


def tracks(manner: Manner) -> dict[str, Array]:
    """Return what the voice does at each sample of the phrase: formants, voicing, hiss, accent."""
    durations = np.array([sound.duration_s for sound in PHRASE]) / manner.rate
    centres = np.cumsum(durations) - durations / 2
    # The last syllable is drawn out, as people do at the end of a phrase.
    times = np.arange(round((durations.sum() + 0.08) * SAMPLE_RATE)) / SAMPLE_RATE
    stretched = np.where(times < centres[-1], times, np.minimum(times, centres[-1]))

    def glide(values: list[float], blur_s: float) -> Array:
        """Move from target to target, with corners as round as the articulators are slow."""
        width = max(3, round(blur_s / manner.rate * SAMPLE_RATE))
        window = np.hanning(width + 2)[1:-1]
        line = np.pad(np.interp(stretched, centres, values), width, mode="edge")
        return np.convolve(line, window / window.sum(), mode="same")[width:-width]

    def steps(values: list[float], blur_s: float) -> Array:
        """Hold each target for its duration: what switches, where `glide` moves."""
        held = np.array(values)[np.searchsorted(np.cumsum(durations)[:-1], stretched, side="right")]
        width = round(blur_s * SAMPLE_RATE)
        window = np.hanning(width + 2)[1:-1]
        return np.convolve(np.pad(held, width, mode="edge"), window / window.sum(), mode="same")[width:-width]

    fade = np.clip(np.minimum(times / 0.03, (times[-1] - times) / 0.12), 0, 1)
    return {
        "time_s": times,
        "formant_1": glide([s.formants_hz[0] for s in PHRASE], 0.03) * FORMANT_SCALE,
        "formant_2": glide([s.formants_hz[1] for s in PHRASE], 0.03) * FORMANT_SCALE * manner.formants,
        "formant_3": glide([s.formants_hz[2] for s in PHRASE], 0.03) * FORMANT_SCALE * manner.formants,
        "voice": steps([s.voice for s in PHRASE], 0.03) * fade,
        "hiss": steps([s.hiss for s in PHRASE], 0.02) * fade,
        "accent": glide([s.accent for s in PHRASE], 0.1),
    }


def pitch(manner: Manner, track: dict[str, Array]) -> Array:
    """Return the fundamental frequency in Hz at each sample: declination, accents, ending, tremor."""
    times = track["time_s"]
    part = times / times[-1]
    semitones = manner.range_semitones * track["accent"] - 2.0 * part
    ending = np.clip((part - 0.75) / 0.25, 0, 1)
    semitones += manner.ending_semitones * ending**1.5
    semitones += manner.tremor_semitones * np.sin(2 * np.pi * 6.5 * times)
    return np.asarray(manner.pitch_hz * 2 ** (semitones / 12))


def glottis(manner: Manner, pitch_hz: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the derivative of the glottal flow, and how open the glottis is (0 to 1), at each sample."""
    end_s = len(pitch_hz) / SAMPLE_RATE
    starts, strengths = [0.0], [1.0]
    while starts[-1] < end_s:
        frequency = pitch_hz[min(int(starts[-1] * SAMPLE_RATE), len(pitch_hz) - 1)]
        starts.append(starts[-1] + (1 + manner.jitter * rng.standard_normal()) / frequency)
        strengths.append(1 + manner.shimmer * rng.standard_normal())
    fine = np.arange(len(pitch_hz) * OVERSAMPLING) / (SAMPLE_RATE * OVERSAMPLING)
    cycle = np.searchsorted(starts, fine, side="right") - 1
    cycle = np.minimum(cycle, len(starts) - 2)
    begin, period = np.array(starts)[cycle], np.diff(starts)[cycle]
    phase = (fine - begin) / period / manner.open_quotient  # 0 to 1 while the glottis is open
    is_open = phase < 1
    # Klatt and Klatt's pulse: flow 27/4 (x^2 - x^3), of which this is the derivative.
    pulse = np.where(is_open, 6.75 * (2 * phase - 3 * phase**2), 0.0) * np.array(strengths)[cycle]
    opening = np.where(is_open, 6.75 * (phase**2 - phase**3), 0.0)
    return band_limited(pulse, manner.tilt_hz), opening[::OVERSAMPLING]


def band_limited(fine: Array, corner_hz: float) -> Array:
    """Bring an oversampled signal to SAMPLE_RATE, falling by 6 dB an octave above `corner_hz`."""
    spectrum = np.fft.rfft(fine)
    frequencies = np.fft.rfftfreq(len(fine), 1 / (SAMPLE_RATE * OVERSAMPLING))
    keep = frequencies < 0.47 * SAMPLE_RATE
    spectrum = np.where(keep, spectrum / np.sqrt(1 + (frequencies / corner_hz) ** 2), 0)
    return np.fft.irfft(spectrum, len(fine))[::OVERSAMPLING]


def resonate(source: Array, frequency_hz: Array, bandwidth_hz: float) -> Array:
    """Pass `source` through Klatt's digital resonator, its frequency set anew every BLOCK samples."""
    result = np.empty_like(source)
    radius = np.exp(-np.pi * bandwidth_hz / SAMPLE_RATE)
    first = second = 0.0
    for start in range(0, len(source), BLOCK):
        b = float(2 * radius * np.cos(2 * np.pi * frequency_hz[start] / SAMPLE_RATE))
        c = float(-(radius**2))
        a = 1 - b - c
        block = []
        for value in source[start : start + BLOCK].tolist():
            first, second = a * value + b * first + c * second, first
            block.append(first)
        result[start : start + len(block)] = block
    return result


def speak(emotion: str) -> Array:
    """Return the phrase said in the manner of `emotion`: float64 (samples,) at SAMPLE_RATE."""
    manner = MANNERS[emotion]
    rng = np.random.default_rng([2003, list(MANNERS).index(emotion)])
    track = tracks(manner)
    voiced, opening = glottis(manner, pitch(manner, track), rng)
    loudness = 10 ** (manner.accent_db * (track["accent"] - 0.5) / 20)
    voiced /= np.sqrt(np.mean(voiced**2))
    breath = rng.standard_normal(len(voiced)) * (0.25 + opening)
    throat = (voiced + 4 * manner.breath * breath) * track["voice"] * loudness
    for number, bandwidth in enumerate(BANDWIDTHS, start=1):
        throat = resonate(throat, track[f"formant_{number}"], bandwidth)
    for frequency, bandwidth in UPPER_FORMANTS:
        throat = resonate(throat, np.full(len(throat), frequency * FORMANT_SCALE), bandwidth)
    throat /= np.sqrt(np.mean(throat**2))
    # A hiss arises at the teeth, in front of all but a short cavity: one wide resonance, nothing at low
    # frequencies. A pressed voice goes with more breath pressure, so that it hisses louder too.
    hiss = resonate(np.diff(rng.standard_normal(len(throat) + 2), 2), np.full(len(throat), 5200.0), 1600)
    pressure = np.sqrt(manner.tilt_hz / Manner.tilt_hz)
    phrase = throat + 0.4 * pressure * track["hiss"] * hiss / np.sqrt(np.mean(hiss**2))
    phrase *= 10 ** (manner.level_db / 20) / np.sqrt(np.mean(phrase**2))
    phrase *= min(1.0, 0.95 / np.abs(phrase).max())
    silence = np.zeros(round(max(SILENCE_S, (LENGTH_S - len(phrase) / SAMPLE_RATE) / 2) * SAMPLE_RATE))
    clip = np.concatenate([silence, phrase, silence])
    return clip + 10 ** (FLOOR_DB / 20) * rng.standard_normal(len(clip))


def main(arguments: list[str]) -> None:
    """Write a clip for each manner to the named directory, or to samples/."""
    directory = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent / "samples"
    directory.mkdir(parents=True, exist_ok=True)
    for emotion in MANNERS:
        path = directory / f"synthetic-{emotion}.flac"
        samples = speak(emotion)
        soundfile.write(path, np.round(samples * 32767).astype(np.int16), SAMPLE_RATE)
        print(f"{path.name}: {len(samples) / SAMPLE_RATE:.2f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
