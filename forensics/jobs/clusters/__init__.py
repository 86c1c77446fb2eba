"""A map of samples, groups and scores: from features to the files of a run."""
