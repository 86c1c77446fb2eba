"""Statistics shared by the methods; numpy and scipy only."""
