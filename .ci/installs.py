#!/usr/bin/env python3
"""Install the wheel with each extra into an empty environment, and run what the docs say for it.

    .ci/installs.py [--with pip|uv] [--python PYTHON] [EXTRA ...]

Nothing of the repository is on the path there. It downloads what each extra brings, so all of
them together take the better part of an hour; `none` stands for the package alone. Prints a line
for each and exits with 1 if one failed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

CEM = """
from garage_like import Trainer, load_policy, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.np.algos import CEM
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler as Sampler

@wrap_experiment(auto_resume=True, archive_launch_repo=False)
def cem(ctxt=None, *, seed=1):
    env = GymEnv("CartPole-v1", max_episode_length=50)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(8,))
    algo = CEM(env.spec, policy, Sampler(policy, env), n_samples=4, best_frac=0.5)
    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    return trainer.train(n_epochs=2, batch_size=100)

if __name__ == "__main__":
    cem()
    print(load_policy("data/local/experiment/cem").get_action([0.0, 0.0, 0.0, 0.0])[0])
"""
PPO = """
from garage_like import {trainer} as Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.sampler import LocalSampler
from garage_like.{room}.algos import PPO
from garage_like.{room}.policies import CategoricalMLPPolicy
from garage_like.{room}.{values} as Values

@wrap_experiment(auto_resume=True, archive_launch_repo=False)
def ppo(ctxt=None, *, seed=1):
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec)
    algo = PPO(env.spec, policy, Values(env.spec), LocalSampler(policy, env))
    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs=2, batch_size=200)

if __name__ == "__main__":
    ppo()
"""
TORCH = PPO.format(
    trainer="Trainer", room="torch", values="value_functions import GaussianMLPValueFunction"
)
TENSORFLOW = PPO.format(
    trainer="TFTrainer", room="tf", values="baselines import ContinuousMLPBaseline"
)
STEP = """
from garage_like.envs import GymEnv
env = GymEnv("{}", max_episode_length=5)
env.reset()
print(env.step(env.action_space.sample()).reward)
"""


def tracked(tracker: str) -> str:
    """Return the experiment under a tracker that needs no network."""
    return CEM.replace("auto_resume=True", f"trackers={tracker!r}, auto_resume=True")


RUNS = {
    "none": CEM,
    "torch": TORCH,
    "tensorflow": TENSORFLOW,
    "tensorflow-cpu": TENSORFLOW,
    "jax": """
from garage_like.envs import GymEnv
from garage_like.jax.algos import PPO
print(PPO)
import jax.numpy, numpy
from garage_like.snapshot import read_snapshot
print(jax.numpy.ones(3))
""",
    "mujoco": STEP.format("HalfCheetah-v5"),
    "classic": STEP.format("Pendulum-v1").replace(
        '"Pendulum-v1"', '"Pendulum-v1", render_mode="rgb_array"'
    )
    + "print(env.render('rgb_array').shape)\n",
    "box2d": STEP.format("LunarLander-v3"),
    "atari": STEP.format("ale_py:PongNoFrameskip-v4")
    + "from garage_like.envs.wrappers import Grayscale, Resize\nprint(Resize, Grayscale)\n",
    "envpool": "import envpool\nprint(envpool.make_gymnasium('CartPole-v1', num_envs=2))\n",
    "cma": CEM.replace("import CEM", "import CMAES as CEM").replace(", best_frac=0.5", ""),
    "minari": "from garage_like.replay_buffer import episodes_from_minari\nimport minari, h5py\n",
    "plot": CEM
    + """
    import subprocess
    plot = ["garage-like", "plot", "data/local/experiment/cem", "--out", "curve.png"]
    subprocess.run(plot, check=True)
    print(len(open("curve.png", "rb").read()))
""",
    "dowel": "from dowel import tabular\nfrom garage_like.logging import tabular as ours\n"
    "assert ours is tabular\n",
    "tensorboard": CEM + "    import subprocess\n"
    "    subprocess.run(['tensorboard', '--version_tb'], check=True)\n",
    "wandb": tracked("wandb"),
    "trackio": tracked("trackio"),
    "mlflow": tracked("mlflow"),
    "video": """
import numpy
from pathlib import Path
from garage_like.pictures.video import VideoFile
with VideoFile(Path("v.mp4"), 25) as video:
    video.add(numpy.zeros((32, 32, 3), numpy.uint8))
print(open("v.mp4", "rb").read(12))
""",
    "remote": CEM.replace("auto_resume=True", "auto_resume=True, mirror='file://{here}/mirror'")
    + "    import subprocess\n"
    "    subprocess.run(['garage-like', 'pull', 'file://{here}/mirror', 'pulled'], check=True)\n",
    "ray": CEM.replace("LocalSampler as Sampler", "RaySampler as Sampler"),
    "sweeps": "import subprocess\nopen('cem.py', 'w').write('''"
    + CEM.split("    print")[0]
    + "''')\n"
    "subprocess.run(['garage-like', 'sweep', 'cem.py', '--seeds', '2'], check=True)\n",
    "slurm": "import submitit\nfrom garage_like import sweeps\nprint(sweeps)\n",
    "port": "import subprocess\nopen('old.py', 'w').write('from garage.envs import GymEnv\\n')\n"
    "subprocess.run(['garage-like', 'port', 'old.py'], check=True)\n"
    "assert 'garage_like' in open('old.py').read()\n",
    "hub": "import huggingface_hub\nfrom garage_like import interop\nprint(interop)\n",
    "ui": "import subprocess\nsubprocess.run(['garage-like', 'ui', '--help'], check=True)\n"
    "import starlette, uvicorn, jinja2\n",
    "jax-envs": "import gymnax\nfrom garage_like.jax import envs\nprint(envs)\n",
    "metaworld": "import metaworld\nfrom garage_like.experiment import MetaWorldTaskSampler\n",
    "all": TORCH,
}


def try_one(extra: str, wheel: Path, python: str, installer: str) -> str:
    """Install one extra and run what belongs to it; return what went wrong, or nothing."""
    place = Path(tempfile.mkdtemp(prefix=f"{extra}_"))
    try:
        venv, wanted = place / "venv", str(wheel) if extra == "none" else f"{wheel}[{extra}]"
        inside = str(venv / "bin" / "python")
        pins = ["-c", str(ROOT / "constraints-cpu.txt")]
        if installer == "uv":
            steps = [["uv", "venv", "-q", "--python", python, str(venv)]]
            steps += [["uv", "pip", "install", "-q", "--python", inside, *pins, wanted]]
        else:
            steps = [[python, "-m", "venv", str(venv)]]
            steps += [[inside, "-m", "pip", "install", "-q", *pins, wanted]]
        script = place / "what_the_docs_say.py"
        script.write_text(RUNS[extra].replace("{here}", str(place)), encoding="utf-8")
        env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        env |= {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("PIP_", "UV_", "SSL_CERT_"))
        }
        env |= {"HOME": str(place), "WANDB_MODE": "offline", "HF_HUB_OFFLINE": "1"}
        env["PATH"] = f"{venv / 'bin'}:{env.get('PATH', os.defpath)}"
        for step in [*steps, [inside, str(script)]]:
            ran = subprocess.run(
                step, cwd=place, env=env, capture_output=True, text=True, check=False
            )
            if ran.returncode:
                return f"{' '.join(step[:4])} ...:\n{ran.stdout[-500:]}{ran.stderr[-1500:]}"
        return ""
    finally:
        shutil.rmtree(place, ignore_errors=True)


def main() -> int:
    """Build the wheel and try each extra that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extras", nargs="*", choices=[[], *RUNS], metavar="EXTRA")
    parser.add_argument("--with", dest="installer", choices=["pip", "uv"], default="pip")
    parser.add_argument("--python", default=sys.executable)
    given = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as built:
        build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", built, str(ROOT)]
        subprocess.run(build, check=True)
        [wheel] = Path(built).glob("*.whl")
        for extra in given.extras or [*RUNS]:
            wrong = try_one(extra, wheel, given.python, given.installer)
            failed += bool(wrong)
            print(f"{extra}: {wrong or 'ok'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
