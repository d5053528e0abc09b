"""JAX backend: whole epochs compiled, with environments that are functions, and exact snapshots."""
