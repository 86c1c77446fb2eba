"""The job of the transplant test."""
