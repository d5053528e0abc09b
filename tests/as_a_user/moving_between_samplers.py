"""An experiment that collects here or elsewhere: `moving_between_samplers.py ALGO WHERE N [SEED]`.

ALGO is ppo, sac, dqn, cem or rl2, WHERE local, processes or ray, N how many workers. With SEED, a
worker elsewhere and then the experiment itself die, at moments that are drawn; SEED `soon` is an
experiment that dies within its first epoch. `moving_between_samplers.py serve` imports what all
need and forks one for each line of standard input; what they are is the same.
"""

import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from garage_like import TFTrainer, Trainer, wrap_experiment
from garage_like.envs import GymEnv, PointEnv, RL2Env, normalize
from garage_like.experiment import SetTaskSampler
from garage_like.experiment.deterministic import set_seed
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import (
    FragmentWorker,
    LocalSampler,
    MultiprocessingSampler,
    RaySampler,
    RL2Worker,
)
from garage_like.sampler.parallel_sampler import _TEAMS

SAMPLERS = {"local": LocalSampler, "processes": MultiprocessingSampler, "ray": RaySampler}
BATCH_SIZES = {"ppo": 130, "cem": 60, "sac": 40, "dqn": 40, "rl2": 48}
RUN = Path("data/local/experiment/moving")
N_EPOCHS = 9
EPOCH = 0.15
"""Seconds that an epoch lasts at least, so that it can be died in."""


def algorithm(algo: str, where: str, n_workers: int, env: Any) -> Any:
    def sampler(policy: Any) -> Any:
        kind: Any = (FragmentWorker, {"n_envs": 2})
        if algo == "rl2":
            kind = (RL2Worker, {"n_episodes_per_trial": 2})
        return SAMPLERS[where](
            policy, env, n_workers=n_workers, worker_class=kind[0], worker_args=kind[1]
        )

    if algo == "cem":
        from garage_like.np.algos import CEM
        from garage_like.np.policies import CategoricalMLPPolicy as Small

        policy: Any = Small(env.spec, hidden_sizes=(4,))
        return CEM(env.spec, policy, sampler(policy), n_samples=3, best_frac=0.4)
    if algo == "rl2":
        from garage_like.tf.algos import RL2PPO
        from garage_like.tf.policies import GaussianGRUPolicy

        policy = GaussianGRUPolicy(env.spec, hidden_dim=8)
        return RL2PPO(
            env.spec,
            policy,
            LinearFeatureBaseline(env.spec),
            sampler(policy),
            task_sampler=SetTaskSampler(PointEnv),
            meta_batch_size=n_workers,
        )
    from garage_like.torch import algos, policies, q_functions

    if algo == "ppo":
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
    if algo == "sac":
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


def environment(algo: str) -> Any:
    if algo == "rl2":
        return RL2Env(PointEnv(max_episode_length=12))
    name = "Pendulum-v1" if algo == "sac" else "CartPole-v1"
    return normalize(GymEnv(name, max_episode_length=40), normalize_obs=True)


def trouble(sampler: Any, seed: str) -> None:
    """End a worker once it has collected, and the experiment after its next snapshot."""
    draws = random.Random(seed)
    if seed != "soon":
        wait_for_another_snapshot()
        time.sleep(EPOCH * draws.random())
        let_a_worker_die(sampler, draws)
        wait_for_another_snapshot()
    time.sleep(EPOCH * draws.random())
    note("experiment")
    os.kill(os.getpid(), signal.SIGKILL)


def wait_for_another_snapshot() -> None:
    before = saved()
    while saved() == before:
        time.sleep(0.01)


def slowly(function: Any) -> Any:
    """Let epochs last long enough to be killed in; no number depends on it."""

    def slow(*args: Any) -> Any:
        time.sleep(EPOCH)
        return function(*args)

    return slow


def saved() -> int:
    return len(list((RUN / "snapshots").glob("epoch_*/manifest.json")))


def note(what: str) -> None:
    with open("died.txt", "a") as file:
        file.write(f"{what}\n")


def let_a_worker_die(sampler: Any, draws: random.Random) -> None:
    """End one worker that is there, in whatever it does."""
    team = _TEAMS.get(sampler)
    links: list[Any] = [] if team is None else [link for link in team._links if link is not None]
    if not links:
        return
    link = draws.choice(links)
    with contextlib.suppress(ProcessLookupError):
        if isinstance(sampler, MultiprocessingSampler):
            os.kill(link.pid, signal.SIGKILL)
        else:
            link._ray.kill(link._actor)
        note("worker")


@wrap_experiment(auto_resume=True, snapshot_mode="all", console=False, archive_launch_repo=False)
def moving(ctxt, *, seed=1):
    algo, where, n_workers, *dies = sys.argv[1:]
    set_seed(seed)
    with TFTrainer(ctxt) if algo == "rl2" else contextlib.nullcontext(Trainer(ctxt)) as trainer:
        env = environment(algo)
        made = algorithm(algo, where, int(n_workers), env)
        trainer.setup(made, env)
        if dies or "SLOWLY" in os.environ:
            trainer.log_diagnostics = slowly(trainer.log_diagnostics)
        if dies:
            threading.Thread(target=trouble, args=(made._sampler, *dies), daemon=True).start()
        trainer.train(n_epochs=N_EPOCHS, batch_size=BATCH_SIZES[algo])


def serve() -> None:
    """Fork an experiment for each line, and say how it ended."""
    import garage_like.np.algos
    import garage_like.torch.algos  # noqa: F401

    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            status = 1
            try:
                os.chdir(asked["cwd"])
                os.environ.update(asked["variables"])
                said = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
                for stream in (1, 2):
                    os.dup2(said, stream)
                sys.argv[1:] = asked["arguments"]
                moving()
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        moving()
