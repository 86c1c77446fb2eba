"""Repulsive visual prompt tuning (RVPT, arXiv 2412.20392), and plain visual prompts beside it."""
