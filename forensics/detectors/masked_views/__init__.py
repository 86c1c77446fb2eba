"""What answers depend on: measures of masked views, candidates beside controls."""
