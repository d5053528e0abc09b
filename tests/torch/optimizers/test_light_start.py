import pickle
import subprocess
import sys

import torch

from garage_like.torch.optimizers import OptimizerWrapper

CODE = """
import sys
import torch
from garage_like.torch.optimizers import OptimizerWrapper

module = torch.nn.Linear(2, 1)
wrapper = OptimizerWrapper(torch.optim.Adam, module)
wrapper.minimize(lambda x: module(x).square().mean(), torch.ones(4, 2))
wrapper.optimizer.load_state_dict(wrapper.optimizer.state_dict())
assert "torch._dynamo" not in sys.modules
assert "sympy" not in sys.modules
compiled = torch.compile(lambda x: 2.0 * x, backend="eager")
assert compiled(torch.ones(2)).tolist() == [2.0, 2.0]
wrapper.minimize(lambda x: module(x).square().mean(), torch.ones(4, 2))
"""


def test_training_loads_no_compiler_and_leaves_it_in_working_order():
    subprocess.run([sys.executable, "-W", "ignore", "-c", CODE], check=True)


RESTORED = """
import pickle, sys
import torch
wrapper = pickle.loads(bytes.fromhex(sys.argv[1]))
wrapper.zero_grad()
wrapper.forget_gradients()
assert "torch._dynamo" not in sys.modules
"""


def test_restored_optimizer_loads_no_compiler_either():
    wrapper = OptimizerWrapper(torch.optim.SGD, torch.nn.Linear(2, 1))
    wrapper.zero_grad()
    command = [sys.executable, "-W", "ignore", "-c", RESTORED, pickle.dumps(wrapper).hex()]
    subprocess.run(command, check=True)
