import numpy as np
import pytest
from PIL import Image

from forensics.lab.caption_stage import PairEncoder
from forensics.lab.language import CAPTION_QUESTION, caption
from forensics.lab.pool import normalise
from forensics.lab.processor import build_processor, build_tokenizer
from forensics.lab.scenes import render, sample_scene


@pytest.mark.parametrize(
    "text", ["a red star", "Ünïcödé ☃ 漢字 🙂", "tabs\tand\nlines", "<b>${x}</b>"]
)
def test_any_text_survives_the_tokenizer(text: str) -> None:
    tokenizer = build_tokenizer()
    tokens = tokenizer(text, add_special_tokens=False).input_ids
    assert tokenizer.decode(tokens) == text


def test_every_word_of_a_caption_is_one_token() -> None:
    tokenizer = build_tokenizer()
    for index in range(50):
        text = caption(sample_scene(3, index))
        assert len(tokenizer.tokenize(f" {text}")) == len(text.split())


def test_training_the_tokenizer_twice_gives_the_same_tokens() -> None:
    assert build_tokenizer().get_vocab() == build_tokenizer().get_vocab()


def test_the_base_is_trained_on_the_prompt_and_pixels_that_the_processor_makes() -> None:
    processor = build_processor()
    picture = render(sample_scene(3, 1))
    parts = [{"type": "image"}, {"type": "text", "text": CAPTION_QUESTION}]
    text = processor.apply_chat_template(
        [{"role": "user", "content": parts}], add_generation_prompt=True
    )
    whole = processor(images=[Image.fromarray(picture)], text=[text], return_tensors="pt")
    ids, labels = PairEncoder(processor).encode([(CAPTION_QUESTION, "a red star")])
    prompt = whole["input_ids"][0]
    assert ids[0, : len(prompt)].tolist() == prompt.tolist()
    assert (labels[0, : len(prompt)] == -100).all()
    assert processor.tokenizer.decode(labels[0, len(prompt) :]) == " a red star</s>"
    assert int((prompt == 3).sum()) == 81
    pixels = whole["pixel_values"][0].numpy()
    assert np.abs(pixels - normalise(picture[None])[0]).max() < 1e-5


def test_the_template_closes_an_answer_with_the_end_token() -> None:
    processor = build_processor()
    talk = [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Hi?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "yes"}]},
    ]
    written = processor.apply_chat_template(talk)
    assert written == "A chat about pictures. USER: <image>\nHi? ASSISTANT: yes</s>"
