"""Learn weights from which one gradient step finds a goal: MAML with TRPO.

    python examples/torch/maml_trpo_point.py --seed 1

Each task has a goal of its own. The policy plays some episodes, takes one gradient step on them,
and plays on; what is trained are the weights that this begins with. In every fifth epoch ten new
tasks are adapted to: MetaTest/Exploration/AverageReturn is what they bring before the step,
MetaTest/Average/AverageReturn after it. The run goes to data/local/experiment/maml_trpo_point.
"""

import click

from garage_like import wrap_experiment
from garage_like.envs import PointEnv, normalize
from garage_like.experiment import MetaEvaluator, SetTaskSampler
from garage_like.experiment.deterministic import set_seed
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.torch.algos import MAMLTRPO
from garage_like.torch.policies import GaussianMLPPolicy
from garage_like.trainer import Trainer


def make_point():
    """Make the environment whose goals are the tasks."""
    return PointEnv(goal=(0, 0), arena_size=0.7, never_done=True, max_episode_length=20)


def in_units(env, task):
    """Let actions be numbers between -1 and 1."""
    return normalize(env)


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=30, show_default=True, help="Epochs in total.")
@click.option(
    "--batch-size", default=200, show_default=True, help="Env steps of a task, before and after."
)
@wrap_experiment
def maml_trpo_point(ctxt=None, *, seed, n_epochs, batch_size):
    """Train MAML with TRPO on tasks of PointEnv."""
    set_seed(seed)
    tasks = SetTaskSampler(make_point, wrapper=in_units)
    env = normalize(make_point())
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=(32, 32), init_std=0.5)
    algo = MAMLTRPO(
        env,
        policy,
        LinearFeatureBaseline(env.spec),
        LocalSampler(policy, env),
        tasks,
        inner_lr=0.1,
        max_kl_step=0.02,
        meta_batch_size=10,
        meta_evaluator=MetaEvaluator(
            test_task_sampler=SetTaskSampler(make_point, wrapper=in_units), n_test_tasks=10
        ),
        evaluate_every_n_epochs=5,
    )
    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    maml_trpo_point()
