"""What torch compiled is compiled again after a restore, with the same options."""

import pytest
import torch

from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.trainer.namespace import is_code

calls = []


def counting(module, inputs):
    calls.append(module)
    return module.forward


@pytest.fixture(autouse=True)
def compiles_anew():
    torch._dynamo.reset()
    calls.clear()


class Agent(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = torch.nn.Linear(2, 1)
        self.fast = torch.compile(self.value, backend=counting)

    def value(self, x):
        return self.critic(x)


class Doubled(torch.nn.Module):
    def forward(self, x):
        return x * 2


def test_compiled_method_that_an_object_holds_goes_on_computing_with_it():
    found = copy_exactly(Agent())
    with torch.no_grad():
        found.critic.bias += 1
    assert torch.equal(found.fast(torch.ones(2)), found.value(torch.ones(2)))
    assert len(calls) == 1


def test_module_that_was_compiled_in_place_is_again():
    net = torch.nn.Sequential(Doubled())
    net[0].compile(backend=counting)
    found = copy_exactly(net)
    assert found(torch.ones(2)).tolist() == [2, 2]
    assert len(calls) == 1


def test_function_made_of_an_object_s_method_is_state_and_not_code():
    agent = Agent()
    assert is_code(torch.compile(lambda x: x, backend=counting))
    assert not is_code(agent.fast)
    found, fast = copy_exactly([agent, agent.fast])
    assert fast is found.fast
