"""The linear probe: a baseline that puts a new layer on the frozen, backdoored image tower."""
