"""Experiments as the documentation shows them: defaults alone, but for numbers that keep it small.

`launcher.py start|kill NAME...` starts each as a process of its own, in this directory; with `kill`
it dies in an epoch after the first snapshot. `launcher.py resume NAME...` is `garage-like resume`.
"""

import importlib
import os
import sys
import time
from pathlib import Path
from typing import Any

from garage_like import TFTrainer, Trainer, wrap_experiment
from garage_like.cli.command_line import main as garage_like_command
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.np.exploration_policies import (
    AddGaussianNoise,
    AddOrnsteinUhlenbeckNoise,
    EpsilonGreedyPolicy,
)
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import LocalSampler

N_EPOCHS = 4
DIES_IN = 3
RUNS = Path("data/local/experiment")
HIDDEN = (4,)
SMALL: dict[str, Any] = {
    "min_buffer_size": 40,
    "buffer_batch_size": 8,
    "gradient_steps_per_itr": 3,
    "num_evaluation_episodes": 1,
}


def on_policy(backend: str, name: str) -> tuple[RLAlgorithm, GymEnv]:
    env = GymEnv("CartPole-v1", max_episode_length=20)
    if backend == "np":
        from garage_like.np import algos, policies
    elif backend == "tf":
        from garage_like.tf import algos, policies
    else:
        from garage_like.torch import algos, policies
    policy = policies.CategoricalMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    sampler = LocalSampler(policy, env)
    if name == "CEM":
        return algos.CEM(env.spec, policy, sampler, n_samples=2, best_frac=0.5), env
    if backend == "tf":
        from garage_like.np.baselines import LinearFeatureBaseline

        values = LinearFeatureBaseline(env.spec)
    else:
        from garage_like.torch.value_functions import GaussianMLPValueFunction

        values = GaussianMLPValueFunction(env.spec, hidden_sizes=HIDDEN)
    return getattr(algos, name)(env.spec, policy, values, sampler), env


def off_policy(backend: str, name: str) -> tuple[RLAlgorithm, GymEnv]:
    """Leave the sampler out, as the documentation does."""
    env_id = "CartPole-v1" if name == "DQN" else "Pendulum-v1"
    env = GymEnv(env_id, max_episode_length=20)
    if backend == "tf":
        from garage_like.tf import algos, policies, q_functions
    else:
        from garage_like.torch import algos, policies, q_functions
    spec, cls, noise = env.spec, getattr(algos, name), {}
    buffer = PathBuffer(capacity_in_transitions=90, env_spec=spec)
    if name == "DQN":
        qfs = [q_functions.DiscreteMLPQFunction(spec, hidden_sizes=HIDDEN)]
        policy = policies.DiscreteQFArgmaxPolicy(qfs[0], spec)
        noise = EpsilonGreedyPolicy(spec, policy, total_timesteps=100)
    elif name == "TQC":
        policy = policies.TanhGaussianMLPPolicy(spec, hidden_sizes=HIDDEN)
        quantiles = [q_functions.QuantileMLPQFunction(spec, 5, HIDDEN) for _ in range(2)]
        return cls(spec, policy, quantiles, buffer, **SMALL), env
    else:
        count = 1 if name == "DDPG" else 2
        qfs = [q_functions.ContinuousMLPQFunction(spec, hidden_sizes=HIDDEN) for _ in range(count)]
        if name == "SAC":
            policy = policies.TanhGaussianMLPPolicy(spec, hidden_sizes=HIDDEN)
            return cls(spec, policy, *qfs, buffer, **SMALL), env
        kind = "DeterministicMLPPolicy" if backend == "torch" else "ContinuousMLPPolicy"
        policy = getattr(policies, kind)(spec, hidden_sizes=HIDDEN)
        if name == "DDPG":
            noise = AddOrnsteinUhlenbeckNoise(spec, policy)
        else:
            noise = AddGaussianNoise(spec, policy, total_timesteps=100)
    return cls(spec, policy, *qfs, buffer, exploration_policy=noise, **SMALL), env


def start(experiment: str, kill: bool) -> None:
    backend, name = experiment.split("_")

    @wrap_experiment(name=experiment, auto_resume=True, console=False)
    def train(ctxt: Any, *, seed: int = 1) -> None:
        set_seed(seed)
        make = off_policy if name in ("DQN", "DDPG", "TD3", "SAC", "TQC") else on_policy
        if backend == "tf":
            with TFTrainer(snapshot_config=ctxt) as trainer:
                run(trainer, *make(backend, name))
        else:
            run(Trainer(ctxt), *make(backend, name))

    def run(trainer: Trainer, algo: RLAlgorithm, env: GymEnv) -> None:
        if kill:
            die_in_an_epoch(type(algo))
        trainer.setup(algo, env)
        trainer.train(n_epochs=N_EPOCHS, batch_size=30)

    train()


def die_in_an_epoch(cls: Any) -> None:
    """Die as `kill -9` does: the class is what is changed, and no snapshot holds it."""
    whole, epochs = cls.train_epoch, []

    def train_epoch(self: Any, trainer: Any) -> Any:
        epochs.append(None)
        result = whole(self, trainer)
        if len(epochs) < DIES_IN:
            return result
        while not list(trainer.run_dir.glob("snapshots/epoch_*/manifest.json")):
            time.sleep(0.01)  # what was captured is written meanwhile
        os._exit(9)

    cls.train_epoch = train_epoch


def in_its_own_process(mode: str, experiment: str) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        if mode == "resume":
            garage_like_command(["resume", str(RUNS / experiment)], standalone_mode=False)
        else:
            start(experiment, mode == "kill")
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    mode, *experiments = sys.argv[1:]
    if any(experiment.startswith("torch") for experiment in experiments):
        importlib.import_module("garage_like.torch.algos")  # once for all of them
    for experiment in experiments:
        print(f"status of {experiment}: {in_its_own_process(mode, experiment)}", flush=True)
