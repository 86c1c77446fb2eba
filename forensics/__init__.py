"""Find, prove and remove backdoors in vision-language models and their training data."""

__version__ = "0.1.0"

__all__ = ["__version__"]
