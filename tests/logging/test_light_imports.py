"""In fresh processes: what importing the logger loads, and that dowel stays dowel."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "tensorflow", "matplotlib", "scipy", "dowel")
SAY_LOADED = f"import sys; print([m for m in {HEAVY} if m in sys.modules])"


def run(code):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_importing_the_package_loads_no_dowel():
    assert run(f"import garage_like.logging; {SAY_LOADED}") == "[]"


def test_importing_the_logger_loads_no_framework():
    assert run(f"from garage_like.logging import logger, tabular; {SAY_LOADED}") == "['dowel']"


def test_writing_tensorboard_events_loads_no_framework(tmp_path):
    code = f"""
from garage_like.logging import RunLogs, logger, tabular
with RunLogs({str(tmp_path)!r}, existing=False, console=False) as logs:
    tabular.record("TotalEnvSteps", 1)
    tabular.record("x", 2.0)
    logger.log(tabular)
    print(any("tfevents" in name for name in logs.offsets()))
{SAY_LOADED}
"""
    assert run(code).splitlines() == ["True", "['dowel']"]


def test_a_later_import_of_dowel_gives_the_same_singletons():
    code = (
        "from garage_like.logging import logger, tabular; import dowel;"
        "from dowel import logger as l, tabular as t; print(l is logger, t is tabular)"
    )
    assert run(code) == "True True"


def test_dowel_imported_first_with_all_it_loads_gives_the_same_singletons(tmp_path):
    code = f"""
import warnings; warnings.simplefilter("ignore")
import dowel
from garage_like.logging import RunLogs, logger, tabular
from garage_like.logging.light_imports import load_tensorboardx
print(logger is dowel.logger, tabular is dowel.tabular)
writer = load_tensorboardx().SummaryWriter({str(tmp_path)!r})
if "torch" in __import__("sys").modules:
    import torch
    writer.add_scalar("x", torch.tensor(1.0), 1)
writer.close()
with RunLogs({str(tmp_path)!r}, existing=False, console=False) as logs:
    tabular.record("TotalEnvSteps", 1)
    tabular.record("x", 2.0)
    logger.log(tabular)
    print(len(logs.offsets()))
"""
    assert run(code).split() == ["True", "True", "4"]


@pytest.mark.parametrize(
    "statement",
    [
        "import dowel.tensor_board_output as t; TensorBoardOutput = t.TensorBoardOutput",
        "from dowel import *",
    ],
)
def test_dowels_own_tensorboard_output_is_loaded_when_asked_for(statement):
    code = (
        "import warnings; warnings.simplefilter('ignore'); import garage_like.logging.run_logs\n"
        f"{statement}\nimport dowel\nprint(TensorBoardOutput.__module__, dowel.TensorBoardOutput)"
    )
    assert run(code) == (
        "dowel.tensor_board_output <class 'dowel.tensor_board_output.TensorBoardOutput'>"
    )


def test_a_name_that_dowel_lacks_is_an_attribute_error():
    code = """
from garage_like.logging import logger
import dowel
try:
    dowel.Nothing
except AttributeError as error:
    print(error)
"""
    assert run(code) == "module 'dowel' has no attribute 'Nothing'"


def test_tensorboardx_works_with_torch_that_is_loaded_after(tmp_path):
    pytest.importorskip("torch")
    code = f"""
from garage_like.logging.light_imports import load_tensorboardx
tensorboardx = load_tensorboardx()
import torch
writer = tensorboardx.SummaryWriter({str(tmp_path)!r})
writer.add_histogram("x", torch.zeros(3), 1)
writer.close()
print("fine")
"""
    assert run("import warnings; warnings.simplefilter('ignore')\n" + code) == "fine"
