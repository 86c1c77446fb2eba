"""Models under suspicion: how they are named, checked, opened and watched."""
