"""Repairs by more contrastive training: fine-tuning, CleanCLIP, PAR, and starting over."""
