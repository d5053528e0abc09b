"""Collect with Ray, say what came of it as JSON, and die: `actors_of_ray.py actors|node`."""

import json
import os
import signal
import sys
import warnings

import gymnasium
from collecting import KINDS, Failing, Global, collected, sampling

from garage_like.envs import GymEnv
from garage_like.sampler import LocalSampler, RaySampler
from garage_like.sampler.parallel_sampler import _TEAMS

SAID: dict[str, object] = {}


def same(name, kind, before_call=lambda sampler, call: None):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        found = collected(RaySampler, *kind, before_call=before_call)
    SAID[name] = [found == collected(LocalSampler, *kind), *(str(w.message) for w in caught)]


def error_of(env):
    with sampling(RaySampler, env=env) as (sampler, _, _):
        try:
            sampler.obtain_samples(0, 10)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        good = GymEnv("CartPole-v1", max_episode_length=30)
        return found, sampler.obtain_samples(1, 10, env_update=good).num_steps >= 10


def kill_actor(sampler, call):
    import ray

    if call == 1:
        ray.kill(_TEAMS[sampler]._links[1]._actor)


def actors():
    noted = []
    signal.signal(signal.SIGTERM, lambda *_: noted.append("told"))
    for name, kind in zip(("default", "fragment", "vec"), KINDS, strict=True):
        same(name, kind)
    same("killed", KINDS[1], kill_actor)
    SAID["failing"] = error_of(GymEnv(Failing(gymnasium.make("CartPole-v1"))))
    SAID["global"] = error_of(GymEnv(Global(gymnasium.make("CartPole-v1"))))
    os.kill(os.getpid(), signal.SIGTERM)
    SAID["signals"] = noted


def node():
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    os.environ["RAY_ADDRESS"] = cluster.address

    def where(_):
        return ray.get_runtime_context().get_node_id()

    def remove(sampler, call):
        if call == 1:
            actor = _TEAMS[sampler]._links[1]._actor
            home = ray.get(actor.__ray_call__.remote(where))
            (found,) = (node for node in nodes if node.node_id == home)
            cluster.remove_node(found, allow_graceful=False)

    same("node", KINDS[1], remove)


if __name__ == "__main__":
    {"actors": actors, "node": node}[sys.argv[1]]()
    print(json.dumps(SAID), flush=True)
    if sys.argv[1] == "actors":
        os.kill(os.getpid(), signal.SIGKILL)
