"""Algorithms in torch."""

from garage_like.torch.algos.a2c import A2C
from garage_like.torch.algos.amp import AMP
from garage_like.torch.algos.bc import BC
from garage_like.torch.algos.ddpg import DDPG
from garage_like.torch.algos.ddqn import DDQN
from garage_like.torch.algos.discrete_sac import DiscreteSAC
from garage_like.torch.algos.dqn import DQN
from garage_like.torch.algos.maml_ppo import MAMLPPO
from garage_like.torch.algos.maml_trpo import MAMLTRPO
from garage_like.torch.algos.maml_vpg import MAMLVPG
from garage_like.torch.algos.mtsac import MTSAC
from garage_like.torch.algos.pearl import PEARL
from garage_like.torch.algos.ppo import PPO
from garage_like.torch.algos.sac import SAC
from garage_like.torch.algos.td3 import TD3
from garage_like.torch.algos.tqc import TQC
from garage_like.torch.algos.trpo import TRPO
from garage_like.torch.algos.vpg import VPG

__all__ = [
    "A2C",
    "AMP",
    "BC",
    "DDPG",
    "DDQN",
    "DQN",
    "DiscreteSAC",
    "MAMLPPO",
    "MAMLTRPO",
    "MAMLVPG",
    "MTSAC",
    "PEARL",
    "PPO",
    "SAC",
    "TD3",
    "TQC",
    "TRPO",
    "VPG",
]
