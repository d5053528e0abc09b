"""The framework-free half of each family of algorithms: data, advantages, cadence, metrics."""
