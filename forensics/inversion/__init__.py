"""Search for triggers on a frozen classifier: forms, losses, savings, and the map over shards."""
