"""Modules of TorchScript come back with their code, numbers and ties."""

import pytest
import torch

from garage_like.snapshot.graph.pickling import copy_exactly

# torch.jit's functions warn that they are to go; those who use them still do.
pytestmark = pytest.mark.filterwarnings("ignore")


class Counting(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))
        self.count: int = 0
        self.layer = torch.nn.Linear(3, 2)

    def forward(self, x):
        if self.training:
            self.mean.copy_(0.9 * self.mean + x.mean(0))
            self.count += 1
        return self.layer(x - self.mean)


def step(held, x):
    held["optimizer"].zero_grad()
    held["module"](x).sum().backward()
    held["optimizer"].step()


@pytest.mark.parametrize("made", ["script", "trace"])
def test_copy_goes_on_as_the_original_does_and_its_optimizer_with_it(made):
    x = torch.arange(12.0).reshape(4, 3)
    module = Counting()
    inside = torch.jit.script(module) if made == "script" else torch.jit.trace(module.layer, x)
    held = {"module": torch.nn.Sequential(inside, torch.nn.Linear(2, 1)), "alias": inside}
    held["optimizer"] = torch.optim.Adam(held["module"].parameters(), 0.1)
    step(held, x)
    inside.eval()
    copy = copy_exactly(held)
    assert copy["module"][0] is copy["alias"]
    assert not copy["alias"].training
    found = []
    for each in (held, copy):
        step(each, x)
        each["alias"].train()
        step(each, x)
        found.append([t.detach().numpy().tobytes() for t in each["module"].state_dict().values()])
        found[-1].append(getattr(each["alias"], "count", None))
    assert found[0] == found[1]


def test_what_only_python_knows_of_a_scripted_module_comes_back():
    module = torch.jit.script(Counting())
    module.held = {"itself": module, "notes": [1]}
    module.layer.note = module.held["notes"]
    copy = copy_exactly({"module": module})["module"]
    assert copy.held["itself"] is copy
    assert copy.layer.note is copy.held["notes"]
    assert copy.layer.note == [1]
    assert torch.equal(copy(torch.ones(1, 3)), module(torch.ones(1, 3)))


class Algo:
    def __init__(self):
        self.norm = torch.jit.script(Counting())


def test_numbers_have_names(tensors_of):
    found = tensors_of({"algo": Algo()})["norm"]
    assert found["mean"] == ("F32", (3,))
    assert found["layer.weight"] == ("F32", (2, 3))
