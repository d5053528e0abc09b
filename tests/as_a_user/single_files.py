"""Scripts of a single file, as people write them: `single_files.py sac|recurrent|while`.

Three lines make each exact. With PLAIN it is the script as it was. It dies in iteration DIES_IN.
"""

import argparse
import hashlib
import os
import random
import signal
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from torch import nn, optim
from torch.nn import functional as F  # noqa: N812
from torch.utils.tensorboard import SummaryWriter

from garage_like import epochs as kept_epochs


def die_in(now):
    if os.environ.get("DIES_IN") == str(now):
        while not list(Path("run/snapshots").glob("epoch_*/manifest.json")):
            pass  # what was captured is written meanwhile
        os.kill(os.getpid(), signal.SIGKILL)


def epochs(where, n, state, **options):
    values = n if isinstance(n, range) else range(n)
    return values if os.environ.get("PLAIN") else kept_epochs(where, n, state, max_stall=1.0)


@dataclass
class Args:
    kind: str
    seed: int = 1
    env_id: str = "CartPole-v1"
    num_envs: int = 2
    num_steps: int = 16
    learning_rate: float = 2.5e-3
    total_timesteps: int = 256
    num_iterations: int = 0


def make_env(env_id, seed, idx, capture_video, run_name):
    def thunk():
        env = gym.make(env_id, render_mode="rgb_array" if capture_video else None)
        env = gym.wrappers.RecordEpisodeStatistics(env)
        env.action_space.seed(seed + idx)
        return env

    return thunk


def layer_init(layer, std=2**0.5, bias_const=0.0):
    torch.nn.init.orthogonal_(layer.weight, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self, envs):
        super().__init__()
        size = int(np.array(envs.single_observation_space.shape).prod())
        self.network = nn.Sequential(layer_init(nn.Linear(size, 16)), nn.Tanh())
        self.lstm = nn.LSTM(16, 8)
        self.actor = layer_init(nn.Linear(8, envs.single_action_space.n), std=0.01)
        self.critic = layer_init(nn.Linear(8, 1), std=1)

    def act(self, x, lstm_state, action=None):
        hidden, lstm_state = self.lstm(self.network(x)[None], lstm_state)
        probs = torch.distributions.Categorical(logits=self.actor(hidden[0]))
        action = probs.sample() if action is None else action
        return action, probs.log_prob(action), self.critic(hidden[0]), lstm_state


class SoftQNetwork(nn.Module):
    def __init__(self, env):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(4, 16), nn.Linear(16, 1)

    def forward(self, x, a):
        return self.fc2(F.relu(self.fc1(torch.cat([x, a], 1))))


class Actor(nn.Module):
    def __init__(self, env):
        super().__init__()
        self.fc, self.mean, self.log_std = nn.Linear(3, 16), nn.Linear(16, 1), nn.Linear(16, 1)
        high, low = env.single_action_space.high, env.single_action_space.low
        self.register_buffer("action_scale", torch.tensor((high - low) / 2.0))

    def get_action(self, x):
        x = F.relu(self.fc(x))
        normal = torch.distributions.Normal(self.mean(x), self.log_std(x).clamp(-5, 2).exp())
        y = torch.tanh(sampled := normal.rsample())
        log_prob = normal.log_prob(sampled) - torch.log(self.action_scale * (1 - y**2) + 1e-6)
        return y * self.action_scale, log_prob.sum(1, keepdim=True)


def tell(returns, *objects):
    numbers = [v for o in objects if isinstance(o, nn.Module) for v in o.state_dict().values()]
    slots = [o.state_dict()["state"] for o in objects if isinstance(o, optim.Optimizer)]
    numbers += [v for slot in slots for part in slot.values() for v in part.values()]
    bits = b"".join(x.detach().numpy().tobytes() for x in numbers)
    drawn = random.random(), np.random.rand(), torch.rand(1).item()
    print("digest", hashlib.md5(bits).hexdigest(), len(numbers), list(returns), drawn)


def begin(args):
    run_name = f"{args.env_id}__{args.kind}__{args.seed}__{int(time.time())}"
    writer = SummaryWriter(f"runs/{run_name}")
    writer.add_text("hyperparameters", "|".join(vars(args)))
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    makers = [make_env(args.env_id, args.seed, i, False, run_name) for i in range(args.num_envs)]
    return run_name, writer, gym.vector.SyncVectorEnv(makers)


def recurrent_ppo(args):
    """Local variables of a function; iterations that count from one."""
    run_name, writer, envs = begin(args)
    agent = Agent(envs)
    optimizer = optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
    obs = torch.zeros((args.num_steps, args.num_envs, 4))
    actions, log_probs, rewards, dones, values = torch.zeros((5, args.num_steps, args.num_envs))
    global_step, start_time, returns = 0, time.time(), deque(maxlen=20)
    next_obs, _ = envs.reset(seed=args.seed)
    next_obs, next_done = torch.Tensor(next_obs), torch.zeros(args.num_envs)
    state = torch.zeros(1, args.num_envs, 8), torch.zeros(1, args.num_envs, 8)
    for iteration in epochs("run", range(1, args.num_iterations + 1), locals()):
        initial_state = state[0].clone(), state[1].clone()
        frac = 1.0 - (iteration - 1.0) / args.num_iterations
        optimizer.param_groups[0]["lr"] = frac * args.learning_rate
        for step in range(args.num_steps):
            global_step += args.num_envs
            obs[step], dones[step] = next_obs, next_done
            with torch.no_grad():
                action, log_prob, value, state = agent.act(next_obs, state)
            actions[step], log_probs[step], values[step] = action, log_prob, value.flatten()
            next_obs, reward, ended, cut, infos = envs.step(action.numpy())
            rewards[step] = torch.tensor(reward)
            next_obs, next_done = torch.Tensor(next_obs), torch.Tensor(ended | cut)
            if "episode" in infos:
                returns += infos["episode"]["r"][infos["_episode"]].tolist()
                writer.add_scalar("charts/episodic_return", returns[-1], global_step)
            if step == 8:
                die_in(iteration - 1)
        hidden, losses = initial_state, []
        for step in range(args.num_steps):
            _, new, v, hidden = agent.act(obs[step], hidden, actions[step].long())
            ratio = (new - log_probs[step]).exp() * (rewards[step] - values[step])
            losses.append(-ratio.mean() + (v.flatten() - rewards[step]).pow(2).mean())
        loss = torch.stack(losses).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
        optimizer.step()
        writer.add_scalar("charts/SPS", int(global_step / (time.time() - start_time)), global_step)
    tell(returns, agent, optimizer)
    envs.close()
    writer.close()


def sac(args):
    """A step of the environment in each iteration; loggers, and schedulers, in local variables."""
    run_name, writer, envs = begin(args)
    actor, qf1, qf2 = Actor(envs), SoftQNetwork(envs), SoftQNetwork(envs)
    qf1_target, qf2_target = SoftQNetwork(envs), SoftQNetwork(envs)
    qf1_target.load_state_dict(qf1.state_dict())
    qf2_target.load_state_dict(qf2.state_dict())
    q_optimizer = optim.Adam(list(qf1.parameters()) + list(qf2.parameters()), lr=1e-3)
    actor_optimizer = optim.Adam(list(actor.parameters()), lr=3e-4)
    scheduler = optim.lr_scheduler.LambdaLR(actor_optimizer, lambda n: 0.999**n)
    log_alpha = torch.zeros(1, requires_grad=True)
    a_optimizer = optim.Adam([log_alpha], lr=1e-3)
    rb, returns = deque(maxlen=100), []
    start_time = time.time()
    obs, _ = envs.reset(seed=args.seed)
    for global_step in epochs("run", args.total_timesteps, locals()):
        die_in(global_step)
        if global_step < 20:
            actions = np.array([envs.single_action_space.sample() for _ in range(envs.num_envs)])
        else:
            actions = actor.get_action(torch.Tensor(obs))[0].detach().numpy()
        next_obs, reward, ended, cut, infos = envs.step(actions)
        if "episode" in infos:
            returns += infos["episode"]["r"][infos["_episode"]].tolist()
            writer.add_scalar("charts/SPS", global_step / (time.time() - start_time), global_step)
        rb.extend(zip(obs, next_obs, actions, reward, ended, strict=True))
        obs = next_obs
        if global_step < 20:
            continue
        batch = [np.stack(c) for c in zip(*random.sample(rb, 16), strict=True)]
        o, o2, a, r, d = (torch.as_tensor(x, dtype=torch.float32) for x in batch)
        with torch.no_grad():
            a2, log_pi2 = actor.get_action(o2)
            q2 = torch.min(qf1_target(o2, a2), qf2_target(o2, a2)) - log_alpha.exp() * log_pi2
            goal = r + (1 - d) * 0.99 * q2.view(-1)
        qf_loss = F.mse_loss(qf1(o, a).view(-1), goal) + F.mse_loss(qf2(o, a).view(-1), goal)
        q_optimizer.zero_grad()
        qf_loss.backward()
        q_optimizer.step()
        if global_step % 2 == 0:
            pi, log_pi = actor.get_action(o)
            actor_loss = (log_alpha.exp() * log_pi - torch.min(qf1(o, pi), qf2(o, pi))).mean()
            actor_optimizer.zero_grad()
            actor_loss.backward()
            actor_optimizer.step()
            scheduler.step()
            alpha_loss = (-log_alpha.exp() * (log_pi.detach() - 1)).mean()
            a_optimizer.zero_grad()
            alpha_loss.backward()
            a_optimizer.step()
        for q, target in ((qf1, qf1_target), (qf2, qf2_target)):
            for p, t in zip(q.parameters(), target.parameters(), strict=True):
                t.data.copy_(0.005 * p.data + 0.995 * t.data)
    tell(returns, actor, qf1, qf2, qf1_target, q_optimizer, actor_optimizer, a_optimizer)
    envs.close()
    writer.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["sac", "recurrent", "while"])
    args = Args(**vars(parser.parse_args()))
    args.num_iterations = args.total_timesteps // (args.num_envs * args.num_steps)
    torch.set_num_threads(1)
    if args.kind == "recurrent":
        recurrent_ppo(args)
    elif args.kind == "sac":
        args.env_id, args.total_timesteps = "Pendulum-v1", 120
        sac(args)
    else:
        run_name, writer, envs = begin(args)
        agent, returns, episode, global_step = nn.Linear(4, 2), [], [], 0
        optimizer = optim.SGD(agent.parameters(), lr=0.01, momentum=0.9)
        obs, info = envs.reset(seed=args.seed)
        for iteration in epochs("run", 1000, globals()):  # was: while global_step < ...
            if global_step >= args.total_timesteps:
                break
            die_in(iteration)
            with torch.no_grad():
                logits = agent(torch.as_tensor(obs))
            action = torch.distributions.Categorical(logits=logits).sample()
            episode.append((torch.as_tensor(obs), action))
            obs, reward, ended, cut, info = envs.step(action.numpy())
            global_step += envs.num_envs
            if "episode" in info or len(episode) == 10:
                seen, taken = map(torch.stack, zip(*episode, strict=True))
                loss = F.cross_entropy(agent(seen).flatten(0, 1), taken.flatten())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                episode.clear()
            if "episode" in info:
                returns += info["episode"]["r"][info["_episode"]].tolist()
        tell(returns, agent, optimizer)
