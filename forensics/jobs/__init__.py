"""What a worker can do with a case: scan, tune, evaluate, answer a live request."""
