"""Snapshots on other machines: whole committed ones go to and come from a URL.

The local disk stays the truth. What is sent is what was committed there, so nothing here touches
how a snapshot is written, and a network that is away costs nothing but lag.

ROOT/head/000000000017.json   the newest says which snapshots there are; created, never overwritten
ROOT/index/<token>/epoch_000009-….json   a snapshot's manifest, and the key of each of its files
ROOT/data/<token>/<digest>    content, written once; each writer has a token, and so a folder
"""
