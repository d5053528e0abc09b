"""What the snapshot knows of libraries: a kind for each, and the registry that finds them.

Nothing here imports `graph`, which walks and pickles and names no library.
"""
