"""Repairs of multimodal language models: tune again, measured before and after."""
