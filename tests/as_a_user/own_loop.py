"""Single-file PPO and DQN as people write them; KEPT=1 puts `epochs` around their loop.

`own_loop.py ppo|dqn`: PLAIN is the script as it was before. It dies in the middle of iteration
DIES_IN, and prints a digest of all that it learned and drew.
"""

import hashlib
import os
import random
import signal
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from torch import nn, optim

from garage_like import epochs


def die_at(now):
    if os.environ.get("DIES_IN") == str(now):
        while not list(Path("run/snapshots").glob("epoch_*/manifest.json")):
            pass  # what was captured is written meanwhile
        os.kill(os.getpid(), signal.SIGKILL)


def make_env(seed):
    def thunk():
        env = gym.wrappers.RecordEpisodeStatistics(gym.make("CartPole-v1"))
        env.action_space.seed(seed)
        return env

    return thunk


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2))
        self.critic = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))

    def act(self, x, action=None):
        choice = torch.distributions.Categorical(logits=self.actor(x))
        action = choice.sample() if action is None else action
        return action, choice.log_prob(action), self.critic(x).squeeze(-1)


if __name__ == "__main__":
    kind, n = sys.argv[1], 8
    torch.set_num_threads(1)
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    vector = gym.vector.AsyncVectorEnv if kind == "ppo" else gym.vector.SyncVectorEnv
    envs = vector([make_env(i) for i in range(2)])
    next_obs, _ = envs.reset(seed=1)
    global_step, returns = 0, []
    if kind == "ppo":
        agent = Agent()
        optimizer = optim.Adam(agent.parameters(), lr=2.5e-3)
    else:
        q_network, target = (
            nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2)) for _ in "qt"
        )
        target.load_state_dict(q_network.state_dict())
        optimizer = optim.Adam(q_network.parameters(), lr=1e-3)
        memory = []
    loop = range(n) if os.environ.get("PLAIN") else epochs("run", n, globals(), max_stall=1.0)
    for iteration in loop:
        if kind == "ppo":
            optimizer.param_groups[0]["lr"] = (1 - iteration / n) * 2.5e-3
            rows = []
            for t in range(16):
                x = torch.as_tensor(next_obs)
                with torch.no_grad():
                    action, log_prob, value = agent.act(x)
                next_obs, reward, ended, cut, infos = envs.step(action.numpy())
                global_step += 2
                if "episode" in infos:
                    returns += infos["episode"]["r"][infos["_episode"]].tolist()
                rows.append((x, action, log_prob, value, torch.as_tensor(reward).float()))
                if t == 7:
                    die_at(iteration)
            obs, actions, log_probs, values, rewards = map(torch.cat, zip(*rows, strict=True))
            order = np.arange(len(obs))
            for _ in range(2):
                np.random.shuffle(order)
                for part in np.split(order, 2):
                    _, new, now = agent.act(obs[part], actions[part])
                    ratio = (new - log_probs[part]).exp()
                    loss = -(ratio * (rewards - values)[part]).mean() + (now - 1).pow(2).mean()
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
        else:
            for t in range(20):
                epsilon = max(0.1, 1 - global_step / 200)
                if random.random() < epsilon:
                    action = np.array([envs.single_action_space.sample() for _ in range(2)])
                else:
                    action = q_network(torch.as_tensor(next_obs)).argmax(1).numpy()
                obs, (next_obs, reward, ended, cut, infos) = next_obs, envs.step(action)
                global_step += 2
                memory += zip(obs, action, reward, next_obs, ended, strict=True)
                if "episode" in infos:
                    returns += infos["episode"]["r"][infos["_episode"]].tolist()
                if t == 9:
                    die_at(iteration)
                if len(memory) >= 32:
                    batch = [np.stack(c) for c in zip(*random.sample(memory, 16), strict=True)]
                    o, a, r, o2, d = map(torch.as_tensor, batch)
                    with torch.no_grad():
                        goal = r.float() + 0.99 * target(o2).max(1).values * (~d).float()
                    loss = (q_network(o).gather(1, a[:, None])[:, 0] - goal).pow(2).mean()
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
            target.load_state_dict(q_network.state_dict())
    net = agent if kind == "ppo" else q_network
    numbers = [*net.state_dict().values()]
    numbers += [v for s in optimizer.state_dict()["state"].values() for v in s.values()]
    bits = b"".join(x.detach().numpy().tobytes() for x in numbers)
    drawn = random.random(), np.random.rand(), torch.rand(1).item()
    print("digest", hashlib.md5(bits).hexdigest(), global_step, returns, next_obs.tolist(), drawn)
    envs.close()
