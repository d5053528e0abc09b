"""The files of a run directory: their names, and the one guarded way to read each.

A run directory may be of any origin: whoever reads it goes through here.
"""
