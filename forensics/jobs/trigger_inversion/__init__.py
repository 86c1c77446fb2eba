"""The job behind ``scan trigger-inversion``."""
