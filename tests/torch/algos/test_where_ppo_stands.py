"""PPO is read in three files: what it calls on itself stands in them."""

import ast
import inspect
from collections.abc import Iterator
from types import ModuleType

import pytest

pytest.importorskip("torch")

from garage_like.algos import on_policy
from garage_like.torch.algos import PPO, ppo, vpg

FILES = (ppo, vpg, on_policy)


def called_on_self(module: ModuleType) -> Iterator[str]:
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        is_attribute = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if is_attribute and node.value.id == "self":
            yield node.attr


def test_ppo_and_its_bases_stand_in_three_files() -> None:
    family = [cls.__module__ for cls in PPO.__mro__ if issubclass(cls, on_policy.OnPolicyAlgorithm)]
    assert family == [module.__name__ for module in FILES]


@pytest.mark.parametrize("module", FILES)
def test_methods_that_are_called_stand_there_too(module: ModuleType) -> None:
    methods = {name: getattr(PPO, name, None) for name in called_on_self(module)}
    found = {name: method for name, method in methods.items() if inspect.isfunction(method)}
    assert found
    for name, method in found.items():
        assert method.__module__ in {file.__name__ for file in FILES}, name
