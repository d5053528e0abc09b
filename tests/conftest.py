"""What holds for every test."""

import os

os.environ.setdefault("GARAGE_LIKE_TRY_RESTORE", "0")  # but for the tests of trials themselves
