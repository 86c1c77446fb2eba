"""Methods that look for a backdoor; one file per concern, prefixed by the method."""
