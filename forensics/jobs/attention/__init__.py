"""The attention scan: what is measured, kept and decided."""
