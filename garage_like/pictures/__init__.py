"""Pictures of policies: videos of them at play; nothing is loaded before one is asked for."""
