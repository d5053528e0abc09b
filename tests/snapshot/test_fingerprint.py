import json

import numpy as np
import torch

from garage_like.snapshot.fingerprint import differences, take_fingerprint


def test_fingerprint_names_what_bits_depend_on():
    found = take_fingerprint()
    assert found["versions"]["numpy"] == np.__version__
    assert found["versions"]["torch"] == torch.__version__
    assert found["torch"]["threads"] == torch.get_num_threads()
    assert found["processor"]


def test_fingerprint_is_plain_json():
    found = take_fingerprint()
    assert json.loads(json.dumps(found)) == found


def test_same_process_has_no_differences():
    assert differences(json.loads(json.dumps(take_fingerprint())), take_fingerprint()) == []


def test_threads_of_torch_make_a_difference():
    before, threads = take_fingerprint(), torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        assert differences(before, take_fingerprint()) == [
            f"torch.threads: {threads} → {threads + 1}"
        ]
    finally:
        torch.set_num_threads(threads)


def test_flags_make_a_difference(monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    before = take_fingerprint()
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert differences(before, take_fingerprint()) == [
        "environment.OPENBLAS_CORETYPE: not set → Haswell"
    ]


def test_versions_make_a_difference():
    saved = {"versions": {"numpy": "1.0", "python": "3.11.1"}, "platform": "Linux x86_64"}
    now = {"versions": {"numpy": "2.0", "python": "3.11.1"}, "platform": "Linux aarch64"}
    assert differences(saved, now) == [
        "platform: Linux x86_64 → Linux aarch64",
        "versions.numpy: 1.0 → 2.0",
    ]


def test_library_that_was_not_loaded_on_one_side_makes_none():
    with_torch = {"versions": {"torch": "2.6"}, "torch": {"threads": 1}}
    assert differences(with_torch, {"versions": {}}) == []
    assert differences({"versions": {}}, with_torch) == []


def test_torch_is_not_loaded_by_looking(run_python):
    run_python(
        """
import sys
from garage_like.snapshot.fingerprint import take_fingerprint
assert 'torch' not in take_fingerprint() and 'torch' not in sys.modules
"""
    )
