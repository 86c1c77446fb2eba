"""Draw scenes, train tiny models on them, plant backdoors and prove them."""
