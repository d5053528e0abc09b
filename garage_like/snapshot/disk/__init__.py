"""Snapshots on the disk: their files, how they are committed, and how they are read unharmed."""
