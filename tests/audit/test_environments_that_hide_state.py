"""State of environments: what the label says of each kind, and what the auditor finds.

The rows of the table in docs/determinism.md.
"""

from pathlib import Path

import pytest

from garage_like.audit import verify_resume
from garage_like.snapshot import read_snapshot

SCRIPT = Path(__file__).parent / "environments_that_hide_state.py"


def audited(kind, folder, n_epochs=2):
    audit = verify_resume(SCRIPT, [kind], n_epochs=n_epochs, folder=folder / "both")
    return audit, read_snapshot(folder / "both" / "straight").manifest


@pytest.mark.parametrize(
    "kind",
    ["Hiding", *(pytest.param(k, marks=pytest.mark.slow) for k in ("OfTheClass", "Variable"))],
)
def test_state_that_is_saved_is_called_exact_and_is(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    audit, manifest = audited(kind, tmp_path)
    assert manifest.exact, manifest.reasons
    assert audit.equal, audit.difference


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "told", "found"),
    [
        ("Dropped", "differs at step", "does not bring this back"),
        ("ResetCounter", "differs at step", "does not bring this back"),
        ("VariableByNumber", "differs at step", "does not bring this back"),
        (
            "SetOrder",
            "a set whose order is another in each process",
            "no kill is needed to see this",
        ),
        ("SetInCode", "goes through {f'room", "no kill is needed to see this"),
        ("System", "calls os.getpid", "no kill is needed to see this"),
        ("Address", r"calls id()", "no kill is needed to see this"),
        ("File", "writes to 'rooms.txt'", "no kill is needed to see this"),
        ("LibraryInC", "a library in C", "no part of the run's objects"),
    ],
)
def test_state_that_is_lost_is_in_the_label_and_found(kind, told, found, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    audit, manifest = audited(kind, tmp_path)
    assert not manifest.exact
    assert told in manifest.reasons[0]
    assert not audit.equal
    assert found in audit.difference.reason


@pytest.mark.slow
def test_a_clock_that_is_read_late_is_in_the_label_and_not_found(tmp_path):
    audit, manifest = audited("ClockSeldom", tmp_path)
    assert "calls time.time_ns, which answers otherwise" in manifest.reasons[0]
    assert audit.equal


@pytest.mark.slow
@pytest.mark.parametrize(("n_epochs", "is_found"), [(2, False), (4, True)])
def test_compiled_code_that_shows_late_is_found_in_an_epoch_that_depends_on_it(
    n_epochs, is_found, tmp_path
):
    audit, manifest = audited("CompiledAndLate", tmp_path, n_epochs)
    assert manifest.exact, manifest.reasons
    assert audit.equal != is_found
