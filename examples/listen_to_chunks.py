"""A voice as it goes on: whatever brings samples pushes them, and gets events.

Here a file is pushed in pieces of 20 ms, as a sound card or a browser would send them.

python examples/listen_to_chunks.py samples/synthetic-angry.flac
"""

import sys

import vocemo
from vocemo import audio

recording = audio.decode(sys.argv[1])
stream = vocemo.load(threads=1).stream(recording.sample_rate)
size = recording.sample_rate // 50


def tell(events: list[vocemo.Event]) -> None:
    for event in events:
        print(f"{event.end_s:6.2f} s  {event.emotion or 'no speech'}  {event.confidence:.0%}")


for place in range(0, len(recording.samples), size):
    tell(stream.push(recording.samples[place : place + size]))
tell(stream.finish())
