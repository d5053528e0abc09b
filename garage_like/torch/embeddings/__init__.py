"""Encoders in torch: what turns experience into a guess at the task."""

from garage_like.torch.embeddings.mlp_encoder import MLPEncoder

__all__ = ["MLPEncoder"]
