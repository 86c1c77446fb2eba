"""Figures of the report as SVG: made here as text, so that they need no script to be seen."""
