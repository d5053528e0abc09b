"""Arguments that have another name in garage, or that mean nothing here: one table for all classes.

The constructor of every class that is `Configured` looks here for the keyword arguments that it is
given. What is renamed is passed on under its name here. What is inert is taken and, once, said to
be without effect; a value that would have had one in garage is refused.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple, TypedDict, TypeVar, get_type_hints

Method = TypeVar("Method", bound=Callable[..., Any])


class Inert(NamedTuple):
    """An argument that has no effect here.

    Attributes:
        why: what is so without it.
        values: those that may be given, functions and initializers by name; none for any.
    """

    why: str
    values: tuple[Any, ...] = ()


class OffPolicyNames(TypedDict, total=False):
    """Garage's names of what all off-policy algorithms take."""

    n_train_steps: Annotated[int | None, "gradient_steps_per_itr"]
    grad_steps_per_env_step: Annotated[float, "gradient_steps_per_env_step"]
    num_eval_episodes: Annotated[int, "num_evaluation_episodes"]
    reward_scaling: Annotated[float, "reward_scale"]
    update_after: Annotated[int, "min_buffer_size"]
    deterministic_eval: Annotated[bool, "use_deterministic_evaluation"]


class DQNNames(TypedDict, total=False):
    """Garage's names of what DQN takes."""

    grad_norm_clipping: Annotated[float | None, "clip_gradient"]
    target_network_update_freq: Annotated[int, "target_update_freq"]


class TD3Names(TypedDict, total=False):
    """Garage's names of what TD3 takes."""

    actor_update_period: Annotated[int, "update_actor_interval"]
    exploration_policy_sigma: Annotated[float, "policy_noise"]
    exploration_policy_clip: Annotated[float, "policy_noise_clip"]


def _renamed(names: type) -> dict[str, str]:
    """Return what each of garage's names is called here; type checkers see both."""
    hints = get_type_hints(names, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


class Pairs(NamedTuple):
    """An argument of pairs, which are two sequences here.

    Attributes:
        firsts: what the first of each pair goes to.
        seconds: what the second goes to.
    """

    firsts: str
    seconds: str


Meaning = str | Inert | Pairs

_FILTERS: Mapping[str, Meaning] = {
    "filters": Pairs("hidden_channels", "kernel_sizes"),
    "padding": "paddings",
}
_GRAPH = Inert("there is no graph with scopes")
_VALUES = Inert("values have no bounds", (None,))
_UNBOUNDED = Inert("targets are not cut", (float("inf"), None, False))
_CELL = Inert("the cell is that of the papers", ("tanh", "sigmoid", None))
_NOTHING = Inert("an episode begins with nothing to remember", ("zeros", False))
_ONE_STD = Inert("one deviation holds for all observations", (False,))
_AS_IS = Inert("weighted regression takes advantages as they are")
_NO_LIMIT = Inert("the bounds of the action space hold")

ARGUMENTS: Mapping[str, Mapping[str, Meaning]] = {
    "interfaces.Sampler": {
        "is_tf_worker": Inert("workers act without a session of TensorFlow"),
    },
    "algos.off_policy.OffPolicyAlgorithm": {
        **_renamed(OffPolicyNames),
        "max_action": _NO_LIMIT,
        "replay_buffer_size": Inert("the replay buffer has its capacity"),
        "exploration_noise": Inert("the exploration policy has its noise"),
    },
    "tf.algos.tf_off_policy.TFOffPolicyAlgorithm": {
        "policy_weight_decay": Inert("weights do not decay", (0, None)),
        "qf_weight_decay": Inert("weights do not decay", (0, None)),
    },
    "torch.algos.torch_off_policy.TorchOffPolicyAlgorithm": {
        "policy_weight_decay": Inert("weights do not decay but by the optimizer", (0, None)),
        "qf_weight_decay": Inert("weights do not decay but by the optimizer", (0, None)),
    },
    "algos.dqn.DeepQLearning": {**_renamed(DQNNames)},
    "algos.td3.TwinDelayedPolicyGradient": {
        **_renamed(TD3Names),
        "clip_return": _UNBOUNDED,
        "clip_pos_returns": _UNBOUNDED,
    },
    "torch.algos.sac.SAC": {
        "temporal_regularization_factor": Inert("actions are not regularized", (0,)),
        "spatial_regularization_factor": Inert("actions are not regularized", (0,)),
        "spatial_regularization_eps": Inert("actions are not regularized"),
    },
    "tf.algos.erwr.ERWR": {
        "positive_adv": Inert("weights are positive", (True,)),
        "policy_ent_coeff": Inert("regression has no entropy bonus", (0,)),
        "use_softplus_entropy": Inert("regression has no entropy bonus", (False,)),
        "stop_entropy_gradient": Inert("regression has no entropy bonus", (False,)),
        "entropy_method": Inert("regression has no entropy bonus", ("no_entropy",)),
    },
    "tf.algos.reps.REPS": {
        "gae_lambda": _AS_IS,
        "center_adv": _AS_IS,
        "positive_adv": Inert("weights are positive", (False,)),
        "fixed_horizon": Inert("episodes are as long as they are", (False,)),
        "dual_optimizer": Inert("the dual is minimized by L-BFGS", (None,)),
        "dual_optimizer_args": Inert("the dual is minimized by L-BFGS", (None,)),
        "optimizer": Inert("the policy is fitted by L-BFGS; see policy_optimizer", (None,)),
        "optimizer_args": Inert("the policy is fitted by L-BFGS; see policy_optimizer", (None,)),
    },
    "tf.policies.recurrent_policy.RecurrentPolicy": {
        "hidden_nonlinearity": _CELL,
        "recurrent_nonlinearity": _CELL,
        "output_nonlinearity": Inert("outputs have no bounds", (None,)),
        "hidden_state_init": _NOTHING,
        "hidden_state_init_trainable": _NOTHING,
        "cell_state_init": _NOTHING,
        "cell_state_init_trainable": _NOTHING,
        "forget_bias": Inert("1 is added to the biases of the forget gate", (1,)),
        "layer_normalization": Inert("the cell is that of the papers", (False,)),
        "std_share_network": _ONE_STD,
    },
    "tf.baselines.gaussian_baseline.GaussianBaseline": {
        "subsample_factor": Inert("all steps of the batch are used", (1,)),
    },
    "tf.algos.te.TaskEmbedding": {
        "stop_ce_gradient": Inert("what latents tell is a reward, with no gradient", (True,)),
    },
    "tf.algos.td3.TD3": {"qf": "qf1"},
    "tf.algos.vpg.VPG": {
        "scope": _GRAPH,
        "lr_clip_range": Inert("PPO alone clips likelihood ratios"),
        "max_kl_step": Inert("TRPO and TNPG alone have a trust region"),
        "kl_constraint": Inert("the trust region is a hard one", ("hard",)),
        "fixed_horizon": Inert("episodes are as long as they are", (False,)),
        "use_neg_logli_entropy": Inert("entropies are computed, not estimated", (False,)),
    },
    "tf.modules.module.Module": {
        "num_seq_inputs": Inert("observations are valued one by one", (1,)),
    },
    "tf.policies.categorical_cnn_policy.CategoricalCNNPolicy": _FILTERS,
    "tf.q_functions.continuous_cnn_q_function.ContinuousCNNQFunction": {
        **_FILTERS,
        "output_nonlinearity": _VALUES,
    },
    "tf.q_functions.discrete_cnn_q_function.DiscreteCNNQFunction": _FILTERS,
    "tf.baselines.gaussian_cnn_baseline.GaussianCNNBaseline": _FILTERS,
    "torch.policies.categorical_cnn_policy.DiscreteCNNPolicy": {
        "mlp_hidden_nonlinearity": "hidden_nonlinearity",
    },
    "torch.q_functions.discrete_cnn_q_function.DiscreteCNNQFunction": {
        "mlp_hidden_nonlinearity": "hidden_nonlinearity",
    },
    "tf.q_functions.continuous_mlp_q_function.ContinuousMLPQFunction": {
        "output_nonlinearity": _VALUES,
    },
    "tf.q_functions.discrete_mlp_q_function.DiscreteMLPQFunction": {"output_nonlinearity": _VALUES},
    "torch.q_functions.discrete_mlp_q_function.DiscreteMLPQFunction": {
        "output_nonlinearity": _VALUES,
    },
    "torch.policies.tanh_gaussian_mlp_policy.TanhGaussianMLPPolicy": {
        "output_nonlinearity": Inert("outputs are a mean and a deviation", (None,)),
        "std_parameterization": Inert("a network gives the deviations", ("exp",)),
    },
}


def also_called(**names: str) -> Callable[[Method], Method]:
    """Let a method take arguments by garage's names, too.

    Args:
        names: garage's name of each, by the name that it has here.
    """

    def decorate(method: Method) -> Method:
        @functools.wraps(method)
        def taking(self: Any, *args: Any, **given: Any) -> Any:
            for here, there in names.items():
                if there in given:
                    given[here] = given.pop(there)
            return method(self, *args, **given)

        return taking  # type: ignore[return-value]

    return decorate


def translate(cls: type, given: dict[str, Any], called: str | None = None) -> dict[str, Any]:
    """Return keyword arguments as the constructor of a class takes them.

    Args:
        cls: the class; what stands in the table for its bases holds for it.
        given: by the names of garage or of this framework.
        called: the name of the class that is constructed, whose base `cls` may be.

    Raises:
        ValueError: if one would have had an effect in garage and has none here.
        TypeError: if one is given by both names.
    """
    called = called or cls.__name__
    known: dict[str, Meaning] = {}
    for base in reversed(cls.__mro__):
        room = f"{base.__module__}.{base.__qualname__}".removeprefix("garage_like.")
        known.update(ARGUMENTS.get(room, {}))
    taken: dict[str, Any] = {}
    for name, value in given.items():
        meaning = name if name not in known or _takes(cls, name) else known[name]
        if isinstance(meaning, Inert):
            _say_inert(called, name, value, meaning)
            continue
        if isinstance(meaning, Pairs):
            taken[meaning.firsts], taken[meaning.seconds] = zip(*value, strict=True)
            continue
        if meaning in taken or (meaning != name and meaning in given):
            raise TypeError(f"{called}: {name} is {meaning} by another name; give one")
        taken[meaning] = value
    return taken


def _takes(cls: type, name: str) -> bool:
    """Tell whether a class's constructor, or one that it passes the rest to, has a parameter."""
    if name in inspect.signature(cls).parameters:
        return True
    for constructor in (vars(base).get("__init__") for base in cls.__mro__):
        if not inspect.isfunction(constructor):
            continue
        parameters = inspect.signature(constructor).parameters
        if name in parameters:
            return True
        if all(p.kind is not inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
            return False
    return False


def _name_of(value: Any) -> str:
    """Return what a function is called, or the class of an initializer, in its simplest form."""
    name = str(getattr(value, "__name__", type(value).__name__))
    return name.lower().removesuffix("_initializer").removesuffix("_v2")


def _say_inert(called: str, name: str, value: Any, inert: Inert) -> None:
    if inert.values and value not in inert.values and _name_of(value) not in inert.values:
        raise ValueError(
            f"{called}: {name}={value!r} cannot be had: {inert.why}; leave it out, or pass"
            f" {' or '.join(map(repr, inert.values))}"
        )
    if not inert.values:  # the one value that it has here anyway needs no word
        warnings.warn(
            f"{called}: {name} has no effect, since {inert.why}", UserWarning, stacklevel=5
        )
