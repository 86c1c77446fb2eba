"""Options of every detector: light to import, since help texts and controls are made of them."""
