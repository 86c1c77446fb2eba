"""The job of attention allocation (TCAP)."""
