"""Attacks that need a model: triggers optimised on a frozen encoder, and poisoned prompts.

Each is one small class with the formula of its source, its defaults and its traps. Pixels are in
[0, 1] before normalisation; what comes out is a file that :mod:`forensics.triggers` reads.
"""
