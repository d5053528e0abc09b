"""What the library in C does whichever framework the numbers come from.

Every backend may ask for it; what knows a framework's memory lies with that backend. The sources
are in `torch/kernels/compiled`, for which they were written first.
"""
