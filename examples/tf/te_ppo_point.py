"""Learn to walk to three goals by way of an embedding of skills: TEPPO, in TensorFlow.

    python examples/tf/te_ppo_point.py --seed 1

The policy is not told which goal it is, but a latent drawn for it, once an episode; a second
network learns to tell the latent from where the point has been: Inference/CrossEntropy falls as
skills part.
"""

import click

from garage_like import wrap_experiment
from garage_like.envs import MultiEnvWrapper, PointEnv
from garage_like.envs.multi_env_wrapper import round_robin_strategy
from garage_like.experiment.deterministic import set_seed
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import FragmentWorker, LocalSampler
from garage_like.tf.algos import TEPPO
from garage_like.tf.embeddings import GaussianMLPEncoder
from garage_like.tf.optimizers import Adam, OptimizerWrapper
from garage_like.tf.policies import GaussianMLPTaskEmbeddingPolicy
from garage_like.trainer import TFTrainer

GOALS = ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0))
LATENT = 2


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=60, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=600, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def te_ppo_point(ctxt=None, *, seed, n_epochs, batch_size):
    """Train TEPPO on three goals of PointEnv."""
    set_seed(seed)
    with TFTrainer(ctxt) as trainer:
        envs = [PointEnv(goal, max_episode_length=20, never_done=True) for goal in GOALS]
        env = MultiEnvWrapper(envs, round_robin_strategy)
        encoder = GaussianMLPEncoder(
            TEPPO.get_encoder_spec(env.task_space, LATENT),
            hidden_sizes=(16,),
            init_std=0.3,
            max_std=0.5,
        )
        inference = GaussianMLPEncoder(
            TEPPO.get_infer_spec(env.spec, LATENT, 4, num_tasks=len(GOALS)),
            hidden_sizes=(16,),
            adaptive_std=True,
        )
        policy = GaussianMLPTaskEmbeddingPolicy(env.spec, encoder, hidden_sizes=(16,), init_std=0.1)
        algo = TEPPO(
            env.spec,
            policy,
            LinearFeatureBaseline(env.spec),
            LocalSampler(policy, env, worker_class=FragmentWorker, worker_args={"n_envs": 3}),
            inference=inference,
            inference_ce_coeff=1e-3,
            policy_optimizer=OptimizerWrapper((Adam, {"lr": 3e-3}), policy, 10, 64),
            discount=0.95,
        )
        trainer.setup(algo, env)
        trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    te_ppo_point()
