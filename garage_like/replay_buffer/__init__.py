"""Replay memory: what off-policy algorithms learn from, kept as rows of a table."""

from garage_like.replay_buffer.her_replay_buffer import HERReplayBuffer
from garage_like.replay_buffer.minari_episodes import episodes_from_minari
from garage_like.replay_buffer.path_buffer import PathBuffer
from garage_like.replay_buffer.prioritized_replay_buffer import PrioritizedReplayBuffer
from garage_like.replay_buffer.transition_ring import TransitionRing as ReplayBuffer

__all__ = [
    "HERReplayBuffer",
    "PathBuffer",
    "PrioritizedReplayBuffer",
    "ReplayBuffer",
    "episodes_from_minari",
]
