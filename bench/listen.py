"""What a live stream costs and how late its events come, against a plain loop, in one run.

    python bench/listen.py [--model FILE] [--minutes M] [--repeats N] [--out FILE]

Both hear the same talk, in chunks of 20 ms at 48 kHz as a sound card gives them, on one thread. The plain
loop is what one writes from the libraries' own examples: each chunk resampled by soxr, Silero's graph asked
frame by frame, and the model asked about the last 1.5 s every 0.5 s while somebody speaks. It has no level,
no latency, no timeline, and never hears how a sentence ends. The processor's time is the process's own, as a
share of the talk's length. Latency is how much had been pushed after the end of an event's window, which no
other load can change, plus the time of the push that brought it.
The talk is made from the spoken samples of this repository, with pauses of 0.1 to 1.5 s.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import report
import soxr

from vocemo import audio
from vocemo.prepare import prepare
from vocemo.runtime.live import CHUNK_S, Chunk, Listening
from vocemo.runtime.predictor import Predictor, load
from vocemo.runtime.speech.detector import FRAME, RATE_HZ, SpeechDetector

HERE = Path(__file__).parent
OUT = HERE.parent / "docs" / "results" / "bench" / "listen.json"
GOAL_SHARE, GOAL_LATENCY_S = 0.08, 0.1
CARD_HZ = 48_000


def talk(minutes: float) -> np.ndarray:
    """(N,) at 48 kHz: the spoken samples in a drawn order, with pauses."""
    voices = [
        audio.decode(path, CARD_HZ).samples for path in sorted((HERE.parent / "samples").glob("*.flac"))
    ]
    random, parts, held = np.random.default_rng(0), list[np.ndarray](), 0
    while held < minutes * 60 * CARD_HZ:
        voice = voices[random.integers(len(voices))]
        pause = np.zeros(round(random.uniform(0.1, 1.5) * CARD_HZ), np.float32)
        parts += [voice, pause]
        held += len(voice) + len(pause)
    return np.concatenate(parts)[: round(minutes * 60 * CARD_HZ)]


def ours(predictor: Predictor, chunks: list[np.ndarray]) -> tuple[float, list[float], int]:
    """Seconds of processor, latencies, and how many events."""
    listening, latencies, events = Listening(predictor.stream(CARD_HZ), CARD_HZ), list[float](), 0
    begun = time.process_time()
    for chunk in chunks:
        moment = listening.hear(Chunk(chunk, time.monotonic()))
        latencies += moment.latencies_s
        events += len(moment.events)
    listening.finish()
    return time.process_time() - begun, latencies, events


def plain(predictor: Predictor, chunks: list[np.ndarray]) -> tuple[float, int]:
    """Seconds of processor, and how many answers."""
    rate = predictor.info.preparation.sample_rate
    window, hop = round(1.5 * rate), 0.5
    to_model = soxr.ResampleStream(CARD_HZ, rate, 1, dtype="float32")
    to_speech = soxr.ResampleStream(CARD_HZ, RATE_HZ, 1, dtype="float32")
    detector = SpeechDetector().stream()
    heard, waiting = np.zeros(window, np.float32), np.zeros(0, np.float32)
    speaking, next_s, now_s, answers = False, 1.5, 0.0, 0
    begun = time.process_time()
    for chunk in chunks:
        now_s += len(chunk) / CARD_HZ
        heard = np.concatenate([heard, to_model.resample_chunk(chunk)])[-window:]
        waiting = np.concatenate([waiting, to_speech.resample_chunk(chunk)])
        while len(waiting) >= FRAME:
            speaking = bool(detector.push(waiting[:FRAME])[-1] > 0.5)
            waiting = waiting[FRAME:]
        if now_s >= next_s:
            next_s += hop
            prepared = prepare(heard, rate, predictor.info.preparation)
            if speaking and not prepared.silent:
                predictor.answerer.hear([(prepared.samples, prepared.length)])
                answers += 1
    return time.process_time() - begun, answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a bundle; by default the model inside the package")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    predictor = load(options.model, threads=1)
    size, whole = round(CHUNK_S * CARD_HZ), talk(options.minutes)
    chunks = [whole[place : place + size] for place in range(0, len(whole), size)]
    mine, theirs, latencies = list[float](), list[float](), list[float]()
    for turn in range(options.repeats):
        cost_s, late, events = ours(predictor, chunks)
        peer_s, answers = plain(predictor, chunks)
        mine.append(cost_s / (60 * options.minutes))
        theirs.append(peer_s / (60 * options.minutes))
        latencies += late
        print(f"run {turn}: vocemo {mine[-1]:.2%} of a core, plain {theirs[-1]:.2%}", flush=True)
    share, peer = statistics.median(mine), statistics.median(theirs)
    usual, high, most = (float(np.quantile(latencies, q)) for q in (0.5, 0.95, 1.0))
    result = {
        "benchmark": "listen",
        "what": "a live stream at 48 kHz in chunks of 20 ms, speech detection included; medians",
        "model": predictor.info.name,
        "ours": {
            "share_of_a_core": round(share, 4),
            "latency_s": round(usual, 4),
            "latency_s_p95": round(high, 4),
            "latency_s_most": round(most, 4),
            "events": events,
        },
        "peer": {
            "command": "a plain loop: soxr, Silero's graph frame by frame, the last 1.5 s every 0.5 s",
            "share_of_a_core": round(peer, 4),
            "answers": answers,
        },
        "ratio": round(peer / share, 2),
        "minutes": options.minutes,
        "repeats": options.repeats,
    }
    report.write(options.out, result)
    late = f"{1e3 * usual:.0f} ms late (95 %: {1e3 * high:.0f}, all: {1e3 * most:.0f})"
    print(f"vocemo {share:.2%} of a core, events {late}")
    reached = share <= GOAL_SHARE and most <= GOAL_LATENCY_S
    print(
        f"plain  {peer:.2%}; goal: {GOAL_SHARE:.0%} of a core and {1e3 * GOAL_LATENCY_S:.0f} ms: "
        + ("reached" if reached else "not reached")
    )


if __name__ == "__main__":
    main()
