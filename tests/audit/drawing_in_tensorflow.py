"""Draw in TensorFlow, well or badly: `drawing_in_tensorflow.py generator|legacy`."""

import sys

import tensorflow as tf

from garage_like import wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.tf.traced import traced
from garage_like.trainer import TFTrainer


class Drawing(RLAlgorithm):
    """Go where the random numbers lead."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.position = tf.Variable(tf.zeros(3))
        self.generator = tf.random.Generator.from_seed(4)

    @traced
    def draw(self) -> tf.Tensor:
        if self.kind == "legacy":
            return tf.random.normal((3,))  # keeps its counter inside the traced function
        return self.generator.normal((3,))

    def train_epoch(self, trainer: TFTrainer) -> None:
        self.position.assign_add(self.draw())
        trainer.step_itr += 1


@wrap_experiment(archive_launch_repo=False)
def draw(ctxt=None, *, kind):
    set_seed(1)
    with TFTrainer(ctxt) as trainer:
        trainer.setup(Drawing(kind), None)
        trainer.train(5)


if __name__ == "__main__":
    draw(kind=sys.argv[1])
