"""What holds for every test."""

import os

os.environ.setdefault("GARAGE_LIKE_TRY_RESTORE", "0")  # but for the tests of trials themselves


def pytest_collection_modifyitems(items):
    """Run what users do first."""
    items.sort(key=lambda item: "as_a_user" not in item.path.parts)
