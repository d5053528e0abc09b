"""Multi-layer perceptrons that give normal distributions, for policies of one's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import nn
from torch.distributions import Distribution, Independent, Normal

from garage_like.torch.distributions import TanhNormal
from garage_like.torch.modules.mlp import MLP, Initializer, Nonlinearity
from garage_like.torch.modules.multi_headed_mlp import MultiHeadedMLPModule


class GaussianMLPModule(nn.Module):
    """Give a distribution whose mean a network computes, with one deviation for all inputs.

    Args:
        input_dim: inputs.
        output_dim: numbers that are drawn.
        hidden_sizes: units of each hidden layer.
        hidden_nonlinearity: module class, module or function; None for none.
        hidden_w_init: fills a weight in place.
        hidden_b_init: fills a bias in place.
        output_nonlinearity: applied to the mean.
        output_w_init: as hidden_w_init.
        output_b_init: as hidden_b_init.
        learn_std: whether the deviation is a parameter.
        init_std: what it starts at.
        min_std: what it cannot fall below; None for no limit.
        max_std: what it cannot rise above; None for no limit.
        std_parameterization: the number p gives exp(p), or as garage has it softplus(exp(p)).
        layer_normalization: normalise what goes into each hidden nonlinearity.
        normal_distribution_cls: `torch.distributions.Normal`, or TanhNormal.

    Raises:
        NotImplementedError: if the parameterization is neither.
        ValueError: if a deviation is not positive.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        hidden_sizes: Sequence[int] = (32, 32),
        hidden_nonlinearity: Nonlinearity = torch.tanh,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_nonlinearity: Nonlinearity = None,
        output_w_init: Initializer = nn.init.xavier_uniform_,
        output_b_init: Initializer = nn.init.zeros_,
        learn_std: bool = True,
        init_std: float = 1.0,
        min_std: float | None = 1e-6,
        max_std: float | None = None,
        std_parameterization: Literal["exp", "softplus"] = "exp",
        layer_normalization: bool = False,
        normal_distribution_cls: Callable[..., Distribution] = Normal,
    ) -> None:
        super().__init__()
        if std_parameterization not in ("exp", "softplus"):
            raise NotImplementedError(
                f"{type(self).__name__}: std_parameterization must be 'exp' or 'softplus', got"
                f" {std_parameterization!r}"
            )
        for name, std in (("init_std", init_std), ("min_std", min_std), ("max_std", max_std)):
            if std is not None and not std > 0.0:
                raise ValueError(f"{type(self).__name__}: {name} must be positive, got {std!r}")
        self._softplus = std_parameterization == "softplus"
        self._limits = [None if s is None else math.log(s) for s in (min_std, max_std)]
        self._distribution = normal_distribution_cls
        self._start = math.log(init_std)
        start = torch.tensor([self._start])
        self.log_std: torch.Tensor
        if learn_std:
            self.log_std = nn.Parameter(start)
        else:
            self.register_buffer("log_std", start)
        self._make_networks(
            input_dim=input_dim,
            output_dim=output_dim,
            hidden_sizes=hidden_sizes,
            hidden_nonlinearity=hidden_nonlinearity,
            hidden_w_init=hidden_w_init,
            hidden_b_init=hidden_b_init,
            output_nonlinearity=output_nonlinearity,
            output_w_init=output_w_init,
            output_b_init=output_b_init,
            layer_normalization=layer_normalization,
        )

    def _make_networks(self, **options: Any) -> None:
        self.mean = MLP(**options)

    def _fill_with_start(self, bias: torch.Tensor) -> None:
        nn.init.constant_(bias, self._start)

    def _mean_and_log_std(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean = self.mean(inputs)
        return mean, self.log_std.expand_as(mean)

    def forward(self, inputs: torch.Tensor) -> Distribution:
        """Return a distribution over shape (N, output_dim) for inputs of shape (N, input_dim)."""
        mean, log_std = self._mean_and_log_std(inputs)
        if self._limits != [None, None]:
            log_std = log_std.clamp(*self._limits)
        std = log_std.exp()
        if self._softplus:
            std = nn.functional.softplus(std)
        given = self._distribution(mean, std)
        return given if isinstance(given, TanhNormal) else Independent(given, 1)


class GaussianMLPIndependentStdModule(GaussianMLPModule):
    """Give a distribution of which two networks compute the mean and the deviation.

    Args:
        std_hidden_sizes: units of each hidden layer of the second network.
        std_hidden_nonlinearity: of its hidden layers.
        std_hidden_w_init: fills one of its weights in place.
        std_hidden_b_init: fills one of its biases in place.
        std_output_nonlinearity: applied to what it gives, p.
        std_output_w_init: fills its last weight in place.
        options: those of GaussianMLPModule.
    """

    def __init__(
        self,
        *args: Any,
        std_hidden_sizes: Sequence[int] = (32, 32),
        std_hidden_nonlinearity: Nonlinearity = torch.tanh,
        std_hidden_w_init: Initializer = nn.init.xavier_uniform_,
        std_hidden_b_init: Initializer = nn.init.zeros_,
        std_output_nonlinearity: Nonlinearity = None,
        std_output_w_init: Initializer = nn.init.xavier_uniform_,
        **options: Any,
    ) -> None:
        given = {
            "hidden_sizes": std_hidden_sizes,
            "hidden_nonlinearity": std_hidden_nonlinearity,
            "hidden_w_init": std_hidden_w_init,
            "hidden_b_init": std_hidden_b_init,
            "output_nonlinearity": std_output_nonlinearity,
            "output_w_init": std_output_w_init,
        }
        self.__dict__["_given"] = given  # before a Module's constructor nothing else is taken
        super().__init__(*args, **options)
        del self.__dict__["_given"]  # a function among it need not go into a snapshot

    def _make_networks(self, **options: Any) -> None:
        super()._make_networks(**options)
        options.update(self.__dict__["_given"], output_b_init=self._fill_with_start)
        self.of_std = MLP(**options)

    def _mean_and_log_std(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.mean(inputs), self.of_std(inputs)


class GaussianMLPTwoHeadedModule(GaussianMLPModule):
    """Give a distribution whose mean and deviation one network computes with two heads."""

    def _make_networks(self, **options: Any) -> None:
        outputs = {
            "output_dims": options.pop("output_dim"),
            "output_nonlinearities": options.pop("output_nonlinearity"),
            "output_w_inits": options.pop("output_w_init"),
            "output_b_inits": [options.pop("output_b_init"), self._fill_with_start],
        }
        self.both = MultiHeadedMLPModule(n_heads=2, **options, **outputs)

    def _mean_and_log_std(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, log_std = self.both(inputs)
        return mean, log_std
