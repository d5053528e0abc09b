"""The framework-free half of each family of algorithms: arguments, data, cadence, metrics."""
