"""Zero-shot, CoOp and CoCoOp against the authors' code written out, and their files."""

import json
import pickle
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
import torch.nn.functional as nnf
from safetensors.torch import load_file, save_file
from torch import Tensor

from forensics.classifiers import (
    CoCoOp,
    CoOp,
    MetaNet,
    ZeroShot,
    first_context,
    load_prompts,
    save_prompts,
)
from forensics.encoders.loading import open_encoder
from forensics.errors import CheckpointError, NotApplicable, OptionError
from tests.tiny_encoders import (  # fmt: skip
    CLASSES,
    TEXT,
    save_hf_clip,
    save_hf_siglip,
    save_open_clip,
    save_timm_siglip,
    vit_config,
)

VECTORS = 4


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tiny CLIP with open_clip's own tokenizer, for which the authors' code was written."""
    config = vit_config()
    config["text_cfg"] = TEXT | {"vocab_size": 49408, "context_length": 20}
    return open_encoder(str(save_open_clip(tmp_path_factory.mktemp("clip") / "vit", config)), "cpu")


@pytest.fixture(scope="module", params=[save_hf_clip, save_hf_siglip, save_timm_siglip])
def other(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Other libraries, tokenizers and ways of pooling."""
    return open_encoder(str(request.param(tmp_path_factory.mktemp("other") / "model")), "cpu")


def context_of(encoder: Any, *shape: int, seed: int = 1) -> Tensor:
    width = encoder.word_embedding().weight.shape[1]
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, VECTORS, width, generator=draw)


def pixels_of(encoder: Any) -> Tensor:
    size = (encoder.preprocessing.height, encoder.preprocessing.width)
    return torch.rand(3, 3, *size, generator=torch.Generator().manual_seed(2))


def authors_text_vectors(clip: Any, context: Tensor, position: str = "end") -> Tensor:
    """``PromptLearner`` and ``TextEncoder`` of CoOp's trainers/coop.py, step by step."""
    tokenizer = open_clip.SimpleTokenizer(context_length=clip.context_length)
    lengths = [len(tokenizer.encode(name)) for name in CLASSES]
    ids = tokenizer([" ".join(["X"] * VECTORS) + f" {name}." for name in CLASSES])
    embedding = clip.token_embedding(ids)
    prefix, suffix = embedding[:, :1], embedding[:, 1 + VECTORS :]
    if context.ndim == 2:
        context = context.expand(len(CLASSES), -1, -1)
    half = {"end": VECTORS, "middle": VECTORS // 2, "front": 0}[position]
    prompts = torch.stack(
        [
            torch.cat(
                [prefix[i], context[i, :half], suffix[i, :n], context[i, half:], suffix[i, n:]]
            )
            for i, n in enumerate(lengths)
        ]
    )
    x = prompts + clip.positional_embedding
    x = clip.ln_final(clip.transformer(x, attn_mask=clip.attn_mask))
    return x[torch.arange(len(x)), ids.argmax(dim=-1)] @ clip.text_projection


def test_zero_shot_is_the_mean_of_unit_vectors(encoder: Any) -> None:
    templates = ("a photo of a {}.", "{}", "art of {}!")
    found = ZeroShot(encoder, CLASSES, templates)
    tokenizer = open_clip.get_tokenizer(encoder.name.replace("openclip:", "local-dir:"))
    wanted = []
    for name in CLASSES:
        ids = tokenizer([t.format(name) for t in templates])
        each = nnf.normalize(encoder.module.encode_text(ids), dim=-1)
        wanted.append(nnf.normalize(each.mean(dim=0), dim=0))
    pixels = pixels_of(encoder)
    images = nnf.normalize(encoder.module.encode_image(encoder._normalised(pixels)), dim=-1)
    expected = encoder.module.logit_scale.exp() * images @ torch.stack(wanted).T
    assert torch.allclose(found.logits(pixels), expected, atol=1e-4)
    assert found.kind == "zero-shot" and found.classes == CLASSES


@pytest.mark.parametrize("position", ["end", "middle", "front"])
@pytest.mark.parametrize("own", [False, True], ids=["shared", "class-specific"])
def test_coop_equals_the_authors_code(encoder: Any, position: Any, own: bool) -> None:
    context = context_of(encoder, *([len(CLASSES)] if own else []))
    found = CoOp(encoder, CLASSES, context, position=position)
    wanted = nnf.normalize(authors_text_vectors(encoder.module, context, position), dim=-1)
    assert torch.allclose(found.text_vectors(), wanted, atol=1e-5)
    pixels = pixels_of(encoder)
    expected = encoder.logit_scale * encoder.encode_image(pixels) @ wanted.T
    assert torch.allclose(found.logits(pixels), expected, atol=1e-4)


def test_cocoop_equals_the_authors_code(encoder: Any) -> None:
    torch.manual_seed(0)
    context = context_of(encoder)
    net = MetaNet(encoder.width, 2, context.shape[1])
    found = CoCoOp(encoder, CLASSES, context, net)
    pixels = pixels_of(encoder)
    images = encoder.encode_image(pixels)
    bias = net.linear2(nnf.relu(net.linear1(images)))
    expected = []
    for image, shift in zip(images, bias, strict=True):
        texts = nnf.normalize(authors_text_vectors(encoder.module, context + shift), dim=-1)
        expected.append(encoder.logit_scale * image @ texts.T)
    assert torch.allclose(found.logits(pixels), torch.stack(expected), atol=1e-4)
    assert torch.equal(found.meta_tokens(images), bias)


def test_gradients_reach_pixels_and_what_is_learnt(encoder: Any) -> None:
    for made in (CoOp(encoder, CLASSES, context_of(encoder)),
                 CoCoOp(encoder, CLASSES, context_of(encoder))):  # fmt: skip
        pixels = pixels_of(encoder).requires_grad_()
        made(pixels)[:, 0].sum().backward()
        assert pixels.grad is not None and float(pixels.grad.abs().sum()) > 0
        for name, weight in made.named_parameters():
            assert weight.grad is not None and float(weight.grad.abs().sum()) > 0, name
        assert len(made.prompt_parameters()) == (1 if made.kind == "coop" else 5)


def test_the_words_themselves_as_context_give_the_plain_sentence(encoder: Any) -> None:
    context = first_context(encoder, words="a photo of a")
    assert context.shape == (4, 32)
    found = CoOp(encoder, CLASSES, context).text_vectors()
    plain = encoder.encode_text([f"a photo of a {name}." for name in CLASSES])
    assert torch.allclose(found, plain, atol=1e-5)
    drawn = [first_context(encoder, vectors=3, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


def test_the_words_give_the_plain_sentence_in_other_libraries_too(other: Any) -> None:
    # Letters are tokens here, and one tokenizer trims blanks: so none stands before the name.
    context = first_context(other, words="a pic")
    assert len(context) == 5
    found = CoOp(other, CLASSES, context).text_vectors()
    plain = other.encode_text([f"a pic{name}." for name in CLASSES])
    assert torch.allclose(found, plain, atol=1e-5)
    made = CoCoOp(other, CLASSES, context)
    assert made.logits(pixels_of(other)).shape == (3, len(CLASSES))


def test_our_files_give_the_same_logits_back(encoder: Any, tmp_path: Path) -> None:
    pixels = pixels_of(encoder)
    for made in (
        CoOp(encoder, CLASSES, context_of(encoder, len(CLASSES)), position="middle"),
        CoCoOp(encoder, CLASSES, context_of(encoder)),
    ):
        path = tmp_path / f"{made.kind}.safetensors"
        save_prompts(made, path)
        again = load_prompts(path, encoder)
        assert (again.kind, again.classes, again.position) == (made.kind, CLASSES, made.position)
        assert torch.equal(again.logits(pixels), made.logits(pixels))


@pytest.mark.parametrize("prefix", ["", "prompt_learner.", "module.prompt_learner."])
def test_state_dicts_of_the_authors_are_read(encoder: Any, tmp_path: Path, prefix: str) -> None:
    pixels, context = pixels_of(encoder), context_of(encoder)
    made = CoCoOp(encoder, CLASSES, context)
    state = {f"{prefix}ctx": context.half(), f"{prefix}token_prefix": torch.zeros(3, 1, 32)}
    state |= {f"{prefix}meta_net.{n}": v for n, v in made.meta_net.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 50}, tmp_path / "model.pth.tar-50")
    found = load_prompts(tmp_path / "model.pth.tar-50", encoder, CLASSES)
    assert found.kind == "cocoop"
    assert torch.allclose(found.logits(pixels), made.logits(pixels), atol=0.05)
    torch.save({f"{prefix}ctx": context}, tmp_path / "ctx.pt")
    plain = load_prompts(tmp_path / "ctx.pt", encoder, CLASSES)
    assert plain.kind == "coop" and torch.equal(plain.context, context)
    with pytest.raises(OptionError, match="does not name its classes"):
        load_prompts(tmp_path / "ctx.pt", encoder)


class Evil:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def test_pickles_that_run_code_are_refused(encoder: Any, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"ctx": Evil(mark)}))
    with pytest.raises(CheckpointError, match="more than tensors"):
        load_prompts(tmp_path / "evil.pt", encoder, CLASSES)
    torch.save({"state_dict": {"ctx": torch.zeros(4, 32)}, "scheduler": Evil(mark)},
               tmp_path / "whole.pt")  # fmt: skip
    with pytest.raises(CheckpointError, match="state_dict alone"):
        load_prompts(tmp_path / "whole.pt", encoder, CLASSES)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("change", "facts", "says"),
    [
        ({"context": None}, {}, "no learnt context"),
        ({"context": torch.zeros(4, 7)}, {}, "does not fit|do not fit"),
        ({"context": torch.full((4, 32), float("nan"))}, {}, "not finite"),
        ({"context": torch.zeros(4, dtype=torch.int64)}, {}, "no learnt context"),
        ({"meta_net.linear1.bias": None}, {}, "incomplete"),
        ({"meta_net.linear2.weight": torch.zeros(32, 9)}, {}, "do not fit"),
        ({}, {"classes": "{"}, "no JSON"),
        ({}, {"classes": "[1]"}, "no list of texts"),
        ({}, {"position": "above"}, "none of end"),
        ({}, {"position": "front"}, "one context"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    encoder: Any, tmp_path: Path, change: dict[str, Any], facts: dict[str, str], says: str
) -> None:
    path = tmp_path / "prompts.safetensors"
    save_prompts(CoCoOp(encoder, CLASSES, context_of(encoder)), path)
    tensors = {k: v for k, v in (load_file(path) | change).items() if v is not None}
    save_file(tensors, path, metadata={"classes": json.dumps(CLASSES), "position": "end"} | facts)
    with pytest.raises(CheckpointError, match=says):
        load_prompts(path, encoder)


def test_what_is_no_file_of_prompts(encoder: Any, tmp_path: Path) -> None:
    (tmp_path / "cut.safetensors").write_bytes(b"\x10")
    (tmp_path / "cut.pt").write_bytes(b"PK")
    torch.save([1, 2], tmp_path / "list.pt")
    for name in ("cut.safetensors", "cut.pt", "list.pt", "none.pt"):
        with pytest.raises(CheckpointError):
            load_prompts(tmp_path / name, encoder, CLASSES)


def test_names_and_templates_are_checked(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for classes in ([], ["a", "a"], ["a", " "]):
        with pytest.raises(OptionError):
            ZeroShot(encoder, classes)
    with pytest.raises(OptionError, match="where the name goes"):
        ZeroShot(encoder, CLASSES, ["a photo"])
    assert ZeroShot(encoder, ["{x} {}"], ["a {}"]).classes == ("{x} {}",), "names are no templates"
    with pytest.raises(OptionError, match="more than the 20"):
        CoOp(encoder, ["a very long name of a class that has more words than fit in"],
             context_of(encoder))  # fmt: skip
    left = encoder.tokenizer
    monkeypatch.setattr(encoder, "tokenizer", lambda texts: left(texts).flip(1))
    with pytest.raises(NotApplicable, match="at the left"):
        CoOp(encoder, CLASSES, context_of(encoder))
