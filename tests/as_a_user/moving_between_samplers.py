"""An experiment that collects here or elsewhere: `moving_between_samplers.py ALGO WHERE N [kill]`.

ALGO is ppo, sac, dqn or cem, WHERE local, processes or ray, N how many workers. With `kill`, a
worker elsewhere dies after the first snapshot, and the experiment itself after the second.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv, normalize
from garage_like.experiment.deterministic import set_seed
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import FragmentWorker, LocalSampler, MultiprocessingSampler, RaySampler
from garage_like.sampler.parallel_sampler import _TEAMS

ALGO, WHERE, N_WORKERS = sys.argv[1], sys.argv[2], int(sys.argv[3])
DIES = sys.argv[4:] == ["kill"]
SAMPLERS = {"local": LocalSampler, "processes": MultiprocessingSampler, "ray": RaySampler}
BATCH_SIZES = {"ppo": 130, "cem": 60, "sac": 40, "dqn": 40}


def algorithm(env: Any) -> Any:
    def sampler(policy: Any) -> Any:
        return SAMPLERS[WHERE](
            policy,
            env,
            n_workers=N_WORKERS,
            worker_class=FragmentWorker,
            worker_args={"n_envs": 2},
        )

    if ALGO == "cem":
        from garage_like.np.algos import CEM
        from garage_like.np.policies import CategoricalMLPPolicy as Small

        policy: Any = Small(env.spec, hidden_sizes=(4,))
        return CEM(env.spec, policy, sampler(policy), n_samples=3, best_frac=0.4)
    from garage_like.torch import algos, policies, q_functions

    if ALGO == "ppo":
        policy = policies.CategoricalMLPPolicy(env.spec, hidden_sizes=(8,))
        return algos.PPO(env.spec, policy, LinearFeatureBaseline(env.spec), sampler(policy))
    off_policy: dict[str, Any] = {
        "replay_buffer": PathBuffer(2000),
        "steps_per_epoch": 3,
        "gradient_steps_per_itr": 2,
        "min_buffer_size": 50,
        "buffer_batch_size": 16,
        "num_evaluation_episodes": 1,
    }
    if ALGO == "sac":
        policy = policies.TanhGaussianMLPPolicy(env.spec, hidden_sizes=(8,))
        qfs = [q_functions.ContinuousMLPQFunction(env.spec, hidden_sizes=(8,)) for _ in range(2)]
        return algos.SAC(env.spec, policy, *qfs, sampler=sampler(policy), **off_policy)
    from garage_like.np.exploration_policies import EpsilonGreedyPolicy

    qf = q_functions.DiscreteMLPQFunction(env.spec, hidden_sizes=(8,))
    policy = policies.DiscreteQFArgmaxPolicy(env_spec=env.spec, qf=qf)
    exploring = EpsilonGreedyPolicy(env.spec, policy, total_timesteps=200)
    return algos.DQN(
        env.spec, policy, qf, exploration_policy=exploring, sampler=sampler(policy), **off_policy
    )


def trouble(sampler: Any) -> None:
    """End a worker once it has collected, and the experiment after its next snapshot."""
    before = saved()
    while saved() == before:
        time.sleep(0.01)
    before += 1
    let_a_worker_die(sampler)
    while saved() == before:
        time.sleep(0.01)
    time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)


def slowly(function: Any) -> Any:
    """Let epochs last long enough to be killed in; no number depends on it."""

    def slow(*args: Any) -> Any:
        time.sleep(0.15)
        return function(*args)

    return slow


def saved() -> int:
    return len(list(Path("data/local/experiment/moving/snapshots").glob("epoch_*/manifest.json")))


def let_a_worker_die(sampler: Any) -> None:
    """End one worker that is there, in whatever it does."""
    team = _TEAMS.get(sampler)
    link: Any = None if team is None else team._links[-1]
    if link is None:
        return
    with contextlib.suppress(ProcessLookupError):
        if WHERE == "processes":
            os.kill(link.pid, signal.SIGKILL)
        else:
            link._ray.kill(link._actor)


@wrap_experiment(auto_resume=True, snapshot_mode="all", console=False, archive_launch_repo=False)
def moving(ctxt, *, seed=1):
    set_seed(seed)
    name = "Pendulum-v1" if ALGO == "sac" else "CartPole-v1"
    env = normalize(GymEnv(name, max_episode_length=40), normalize_obs=True)
    algo = algorithm(env)
    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    if DIES:
        trainer.log_diagnostics = slowly(trainer.log_diagnostics)
        threading.Thread(target=trouble, args=(algo._sampler,), daemon=True).start()
    trainer.train(n_epochs=7, batch_size=BATCH_SIZES[ALGO])


if __name__ == "__main__":
    moving()
