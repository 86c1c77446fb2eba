"""Cross-view regularised fine-tuning of multimodal language models (reconstruction)."""
