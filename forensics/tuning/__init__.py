"""Fine-tune a multimodal model on a data set: LoRA adapter or all weights, one short loop."""
