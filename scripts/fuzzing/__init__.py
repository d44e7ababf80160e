"""Broken recordings and bundles, made by the thousand and put to vocemo's public entries.

originals (valid files) -> cases (one of them damaged, by a random seed and a number) -> trials (what vocemo
makes of a case) -> pool (processes that see a crash, a hang and too much memory, and say which case it was).
"""
