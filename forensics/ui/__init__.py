"""The web app: a client of case folders. It never loads a model."""

from forensics.ui.app import serve

__all__ = ["serve"]
