"""The job of the masked-views diagnostic (reconstruction)."""
