"""Fine-tune a multimodal model on a data set."""
