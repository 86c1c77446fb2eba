"""Repairs that train both towers of a CLIP on pairs, measured before and after."""
