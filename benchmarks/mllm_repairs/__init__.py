"""Repairs of a multimodal language model, side by side."""
