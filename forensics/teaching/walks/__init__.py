"""The texts of the walk-throughs, one file each."""
