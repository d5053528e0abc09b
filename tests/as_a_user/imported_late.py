"""A module with a generator that a launcher imports in the middle of an epoch."""

import random

GENERATOR = random.Random(5)


class Drawn:
    times = 0


def draw():
    Drawn.times += 1
    return GENERATOR.random() + Drawn.times
