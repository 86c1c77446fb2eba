"""Repairs: a backdoored model is tuned so that its trigger loses its hold, beside controls."""
