"""How long each emotion lasts in a recording, and where the longest stretch of it is.

python examples/timeline_of_a_call.py call.wav
"""

import sys

import vocemo

spoken = [each for each in vocemo.load().timeline(sys.argv[1]) if each.emotion is not None]
for emotion in sorted({each.emotion for each in spoken}):
    of_it = [each for each in spoken if each.emotion == emotion]
    longest = max(of_it, key=lambda each: each.end_s - each.start_s)
    total_s = sum(each.end_s - each.start_s for each in of_it)
    print(f"{emotion:<10} {total_s:6.1f} s, longest from {longest.start_s:.1f} to {longest.end_s:.1f} s")
