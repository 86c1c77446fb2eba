"""The self-test: a known trigger is planted in a copy of the case's own data, then looked for."""
