"""A model family of another package: ViP-LLaVA, whose pictures reach the model as LLaVA's do."""

from forensics.models.llava import LlavaAdapter


class VipLlavaAdapter(LlavaAdapter):
    """A ``VipLlavaForConditionalGeneration`` with its processor."""
