"""Learn to infer a goal from a few episodes, and to walk to it: PEARL.

    python examples/torch/pearl_point.py --seed 1

Each task has a goal of its own. What was seen of a task becomes a belief about it; each episode is
played on a guess drawn from that belief. After each epoch ten new tasks are tried:
MetaTest/Exploration/AverageReturn is what guesses without experience bring,
MetaTest/Average/AverageReturn what they bring after ten episodes. The run goes to
data/local/experiment/pearl_point.
"""

import click

from garage_like import wrap_experiment
from garage_like.envs import PointEnv, normalize
from garage_like.experiment import SetTaskSampler
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import LocalSampler
from garage_like.torch.algos import PEARL
from garage_like.torch.algos.pearl import PEARLWorker
from garage_like.torch.policies import TanhGaussianMLPPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction
from garage_like.trainer import Trainer

TASKS = 16
LATENT = 3
HIDDEN = (64, 64)


def make_point():
    """Make the environment whose goals are the tasks."""
    return PointEnv(goal=(0, 0), arena_size=0.7, never_done=True, max_episode_length=20)


def in_units(env, task):
    """Let actions be numbers between -1 and 1."""
    return normalize(env)


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=20, show_default=True, help="Epochs in total.")
@wrap_experiment
def pearl_point(ctxt=None, *, seed, n_epochs):
    """Train PEARL on tasks of PointEnv."""
    set_seed(seed)
    tasks = SetTaskSampler(make_point, wrapper=in_units).sample(TASKS)
    env = tasks[0]()
    spec = PEARL.augment_env_spec(env, LATENT)
    algo = PEARL(
        tasks,
        TanhGaussianMLPPolicy(spec, HIDDEN),
        ContinuousMLPQFunction(spec, HIDDEN),
        ContinuousMLPQFunction(PEARL.get_env_spec(env, LATENT, "vf"), HIDDEN),
        LocalSampler(None, env, worker_class=PEARLWorker),
        num_train_tasks=TASKS,
        num_test_tasks=10,
        latent_dim=LATENT,
        encoder_hidden_sizes=HIDDEN,
        test_env_sampler=SetTaskSampler(make_point, wrapper=in_units),
        policy_lr=1e-3,
        qf_lr=1e-3,
        vf_lr=1e-3,
        context_lr=1e-3,
        kl_lambda=0.01,
        soft_target_tau=0.02,
        meta_batch_size=8,
        num_steps_per_epoch=100,
        num_tasks_sample=5,
        num_steps_prior=60,
        num_extra_rl_steps_posterior=60,
        batch_size=32,
        embedding_batch_size=64,
        embedding_mini_batch_size=64,
        discount=0.9,
        replay_buffer_size=5000,
        reward_scale=10.0,
    )
    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs)


if __name__ == "__main__":
    pearl_point()
