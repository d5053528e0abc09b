"""Pictures of runs: learning curves out of their logs, videos of their policies.

Nothing here is loaded before a picture is asked for; matplotlib draws without a screen.
"""
