"""The job of evidence fusion."""
