"""A service's way: one model, many requests at once, none of which keeps the others waiting.

A model may be asked from any number of threads; asyncio hands each question to one.

python examples/many_at_once.py samples/*.flac
"""

import asyncio
import sys

import vocemo

model = vocemo.load()


async def answer(path: str) -> str:
    prediction = await asyncio.to_thread(model.predict, path)
    return f"{path}: {prediction.emotion}"


async def main() -> None:
    for line in await asyncio.gather(*map(answer, sys.argv[1:])):
        print(line)


asyncio.run(main())
