"""A run directory as data: what is in it, which epoch is meant, where it came from, what goes on.

Nothing here loads a framework; only `continuation` runs code of a run, where it resumes one.
"""
