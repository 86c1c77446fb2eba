"""Repairs that tune a CLIP on few clean labelled pictures, measured before and after."""
