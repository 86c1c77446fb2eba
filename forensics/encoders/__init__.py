"""Encoders of pictures and texts in one space: CLIP and its relatives."""
