"""Other libraries' own loops, under the promise: killed anywhere, they go on bit for bit.

Each module needs the library that it is named after; none is loaded before it is imported.
"""
