"""What each kind of run puts into the report."""
