"""The ``forensics`` command: one file a verb, loaded only when it is called."""

from forensics.cli.entry import main

__all__ = ["main"]
