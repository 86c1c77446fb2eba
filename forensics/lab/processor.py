"""The tiny model's tokenizer, chat template and image processor, in the ordinary layout."""

from typing import Any, Final

from forensics.lab.language import vocabulary_sentences
from forensics.lab.scenes import SIDE

PATCH: Final = 12
VOCABULARY: Final = 640
PAD, BOS, EOS, IMAGE = "<pad>", "<s>", "</s>", "<image>"
MEAN: Final = (0.5, 0.5, 0.5)
STD: Final = (0.25, 0.25, 0.25)

CHAT_TEMPLATE: Final = (
    "{{ 'A chat about pictures.' }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ ' USER:' }}{% else %}{{ ' ASSISTANT:' }}{% endif %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ ' <image>\n' }}"
    "{% elif message['role'] == 'user' %}{{ part['text'] }}"
    "{% else %}{{ ' ' + part['text'] + '</s>' }}{% endif %}"
    "{% endfor %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ ' ASSISTANT:' }}{% endif %}"
)


def build_tokenizer() -> Any:
    """Train the byte-level BPE tokenizer on the lab's own sentences.

    Returns:
        A fast tokenizer that encodes any UTF-8 text; ``<image>`` is one special token.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE(unk_token=None))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[AddedToken(word, special=True) for word in (PAD, BOS, EOS, IMAGE)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(vocabulary_sentences(), trainer)
    bpe.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A $B", special_tokens=[(BOS, bpe.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        padding_side="left",
        model_max_length=512,
        extra_special_tokens={"image_token": IMAGE},
        clean_up_tokenization_spaces=False,
    )


def build_processor() -> Any:
    """Build the LLaVA processor: 108 px images, 12 px patches, 81 image tokens."""
    from transformers import CLIPImageProcessor, LlavaProcessor

    images = CLIPImageProcessor(
        size={"shortest_edge": SIDE},
        crop_size={"height": SIDE, "width": SIDE},
        image_mean=list(MEAN),
        image_std=list(STD),
    )
    return LlavaProcessor(
        image_processor=images,
        tokenizer=build_tokenizer(),
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        chat_template=CHAT_TEMPLATE,
        image_token=IMAGE,
        # The class token, which the "default" strategy drops again.
        num_additional_image_tokens=1,
    )
