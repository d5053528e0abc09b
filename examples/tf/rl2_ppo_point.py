"""Learn to find a goal within a trial: RL2 with PPO, in TensorFlow.

    python examples/tf/rl2_ppo_point.py --seed 1

Each task has a goal of its own, and the point sees only how far away it is. A trial is two episodes
of one task; the policy keeps its memory over both, and sees what its last action brought. The
columns Adaptation/AverageReturnOfEpisode1 and ...2 tell what it makes of that. The run goes to
data/local/experiment/rl2_ppo_point.
"""

import click

from garage_like import wrap_experiment
from garage_like.envs import PointEnv, RL2Env, normalize
from garage_like.experiment.deterministic import set_seed
from garage_like.experiment.task_sampler import SetTaskSampler
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler, RL2Worker
from garage_like.tf.algos import RL2PPO
from garage_like.tf.optimizers import Adam, OptimizerWrapper
from garage_like.tf.policies import GaussianGRUPolicy
from garage_like.trainer import TFTrainer

TASKS = 20
ARENA = 1.0


def make_tasks():
    """Make the environment that is asked for goals."""
    return PointEnv(arena_size=ARENA)


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=50, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=4000, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def rl2_ppo_point(ctxt=None, *, seed, n_epochs, batch_size):
    """Train RL2 with PPO on tasks of PointEnv."""
    set_seed(seed)
    with TFTrainer(ctxt) as trainer:
        env = RL2Env(normalize(PointEnv(arena_size=ARENA, max_episode_length=30)))
        policy = GaussianGRUPolicy(env.spec, hidden_dim=64)
        sampler = LocalSampler(
            agents=policy,
            envs=env,
            n_workers=TASKS,
            worker_class=RL2Worker,
            worker_args={"n_episodes_per_trial": 2},
        )
        algo = RL2PPO(
            env.spec,
            policy,
            LinearFeatureBaseline(env.spec),
            sampler,
            policy_optimizer=OptimizerWrapper((Adam, {"lr": 1e-3}), policy, 30),
            task_sampler=SetTaskSampler(make_tasks),
            meta_batch_size=TASKS,
        )
        trainer.setup(algo, env)
        trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    rl2_ppo_point()
