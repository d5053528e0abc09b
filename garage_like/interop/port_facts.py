"""What `garage-like port` knows of garage: names that moved, ids of its day, other defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping

PACKAGES: Mapping[str, str] = {"garage": "garage_like", "gym": "gymnasium"}

MODULES: Mapping[str, str] = {
    "garage._dtypes": "garage_like",
    "garage._environment": "garage_like",
    "garage._functions": "garage_like",
    "garage.experiment.experiment": "garage_like.experiment",
    "garage.experiment.local_runner": "garage_like",
    "garage.experiment.local_tf_runner": "garage_like",
    "garage.experiment.snapshotter": "garage_like.experiment",
    "garage.torch._functions": "garage_like.torch",
    "garage.tf.algos.rl2": "garage_like.sampler",
}
"""Modules whose names are elsewhere; all others only change the name of the package."""

NAMES: Mapping[str, tuple[str, str]] = {
    "garage.experiment.LocalRunner": ("garage_like", "Trainer"),
    "garage.experiment.LocalTFRunner": ("garage_like", "TFTrainer"),
    "garage.envs.GarageEnv": ("garage_like.envs", "GymEnv"),
    "garage.tf.envs.TfEnv": ("garage_like.envs", "GymEnv"),
    "garage.TrajectoryBatch": ("garage_like", "EpisodeBatch"),
    "dowel.logger": ("garage_like.logging", "logger"),
    "dowel.tabular": ("garage_like.logging", "tabular"),
    "garage.tf.algos.RL2Env": ("garage_like.envs", "RL2Env"),
    "garage.tf.algos.rl2.RL2Env": ("garage_like.envs", "RL2Env"),
    "garage.tf.algos.RL2Worker": ("garage_like.sampler", "RL2Worker"),
}
"""Names that are another one, elsewhere: what a program calls them stays as it is."""

IDS: Mapping[str, str] = {
    "CartPole-v0": "CartPole-v1",
    "Pendulum-v0": "Pendulum-v1",
    "FrozenLake-v0": "FrozenLake-v1",
    "FrozenLake8x8-v0": "FrozenLake8x8-v1",
    "Taxi-v2": "Taxi-v3",
    "CliffWalking-v0": "CliffWalking-v1",
    "LunarLander-v2": "LunarLander-v3",
    "LunarLanderContinuous-v2": "LunarLanderContinuous-v3",
    "BipedalWalker-v2": "BipedalWalker-v3",
    "CarRacing-v0": "CarRacing-v3",
    **{
        f"{name}-v{version}": f"{name}-v5"
        for name in (
            "Ant",
            "HalfCheetah",
            "Hopper",
            "Humanoid",
            "HumanoidStandup",
            "InvertedDoublePendulum",
            "InvertedPendulum",
            "Pusher",
            "Reacher",
            "Swimmer",
            "Walker2d",
        )
        for version in (1, 2, 3, 4)
    },
}
"""Ids of environments that gymnasium has under a later version alone."""

_GAME = re.compile(r"(?P<name>[A-Z]\w*?)(?P<ram>-ram)?(?P<skips>NoFrameskip|Deterministic)?-v[04]")
_FETCH = re.compile(r"Fetch(Reach|Push|Slide|PickAndPlace)(Dense)?-v[01]")
_NAMES_OF_GAMES = (
    "Adventure AirRaid Alien Amidar Assault Asterix Asteroids Atlantis BankHeist BattleZone"
    " BeamRider Berzerk Bowling Boxing Breakout Carnival Centipede ChopperCommand CrazyClimber"
    " Defender DemonAttack DoubleDunk ElevatorAction Enduro FishingDerby Freeway Frostbite Gopher"
    " Gravitar Hero IceHockey Jamesbond JourneyEscape Kangaroo Krull KungFuMaster MontezumaRevenge"
    " MsPacman NameThisGame Phoenix Pitfall Pong Pooyan PrivateEye Qbert Riverraid RoadRunner"
    " Robotank Seaquest Skiing Solaris SpaceInvaders StarGunner Tennis TimePilot Tutankham UpNDown"
    " Venture VideoPinball WizardOfWor YarsRevenge Zaxxon"
)
_GAMES = frozenset(_NAMES_OF_GAMES.split())
"""Games of Atari that gym registered."""


def id_of_today(env_id: str) -> tuple[str, dict[str, str]]:
    """Return what gymnasium calls an environment, and what `make` must be told besides.

    Games of Atari and Fetch's tasks are in packages of their own; the first knows neither `-ram`
    nor `Deterministic`.
    """
    if _FETCH.fullmatch(env_id):
        return f"gymnasium_robotics:{env_id[:-1]}4", {}
    game = _GAME.fullmatch(env_id)
    if game is None or game["name"] not in _GAMES:
        return IDS.get(env_id, env_id), {}
    skips, ram = game["skips"] or "", game["ram"]
    told = {"obs_type": '"ram"'} if ram else {}
    if skips == "Deterministic":
        skips, told = "", {**told, "frameskip": "3" if game["name"] == "SpaceInvaders" else "4"}
    return f"ale_py:{game['name']}{skips}-{env_id[-2:]}", told


def task_of_today(name: str) -> str:
    """Return what Meta-World calls a class of tasks: all of them are of its third version."""
    return re.sub(r"-v[12]$", "-v3", name)


_OFF_POLICY = {"n_train_steps": "50", "steps_per_epoch": "20"}
_CLIPPED = {"lr_clip_range": "0.01", "gae_lambda": "1"}
_SCALED = {"normalize_inputs": "True", "normalize_outputs": "True"}
_SMALL = {"hidden_sizes": "(32, 32)"}

DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "garage.torch.algos.DDPG": _OFF_POLICY,
    "garage.torch.algos.DQN": _OFF_POLICY,
    "garage.torch.algos.TD3": {
        "steps_per_epoch": "20",
        "use_deterministic_evaluation": "False",
    },
    "garage.torch.algos.MTSAC": {"num_evaluation_episodes": "5"},
    "garage.torch.policies.TanhGaussianMLPPolicy": _SMALL,
    "garage.torch.policies.CategoricalCNNPolicy": {**_SMALL, "strides": "1"},
    "garage.torch.q_functions.DiscreteCNNQFunction": _SMALL,
    "garage.torch.q_functions.DiscreteDuelingCNNQFunction": _SMALL,
    "garage.tf.algos.DDPG": _OFF_POLICY,
    "garage.tf.algos.DQN": {**_OFF_POLICY, "double_q": "False", "discount": "1.0"},
    "garage.tf.algos.PPO": _CLIPPED,
    "garage.tf.algos.REPS": {"l2_reg_dual": "0.0"},
    "garage.tf.algos.RL2PPO": _CLIPPED,
    "garage.tf.algos.TENPO": {"lr_clip_range": "0.01"},
    "garage.tf.algos.TEPPO": {
        "lr_clip_range": "0.01",
        "gae_lambda": "0.98",
        "policy_ent_coeff": "1e-3",
    },
    "garage.tf.algos.TD3": {"target_update_tau": "0.01", "steps_per_epoch": "20"},
    "garage.tf.algos.NPO": _CLIPPED,
    "garage.tf.baselines.ContinuousMLPBaseline": {"normalize_inputs": "True"},
    "garage.tf.baselines.GaussianMLPBaseline": _SCALED,
    "garage.tf.baselines.GaussianCNNBaseline": _SCALED,
    "garage.tf.policies.CategoricalCNNPolicy": _SMALL,
    "garage.tf.policies.ContinuousMLPPolicy": {"hidden_sizes": "(64, 64)"},
    "garage.tf.q_functions.ContinuousMLPQFunction": {**_SMALL, "action_merge_layer": "-2"},
    "garage.tf.q_functions.DiscreteMLPQFunction": _SMALL,
}
"""Defaults of garage, as source, where they are others here."""
