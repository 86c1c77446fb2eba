"""Hidden tokens: what stands there no longer matters, and nothing else changes."""

from pathlib import Path

import pytest
import torch

from forensics.encoders.hidden_keys import HiddenKeys
from forensics.encoders.loading import open_encoder
from forensics.errors import ModelError
from tests.tiny_encoders import ENCODERS, HF


@pytest.mark.parametrize("name", [name for name in ENCODERS if name != "hf-siglip2"])
def test_nobody_sees_a_hidden_token(name: str, tmp_path: Path) -> None:
    folder = ENCODERS[name](tmp_path / name)
    encoder = open_encoder(f"{'' if name in HF else 'openclip:'}{folder}", device="cpu")
    ids = encoder.tokenize(["abcdef", "xyz"])
    hidden = torch.zeros_like(ids, dtype=torch.bool)
    with torch.no_grad():
        plain = encoder.encode_text(["abcdef", "xyz"])
        with HiddenKeys(hidden):
            same = encoder.encode_embedded(encoder.embed_tokens(ids), ids)
        assert torch.allclose(plain, same, atol=1e-5)
        hidden[0, 3] = True
        other = ids.clone()
        other[0, 3] = ids[0, 4]
        found = []
        for given in (ids, other):
            with HiddenKeys(hidden):
                found.append(encoder.encode_embedded(encoder.embed_tokens(given), given))
        unmasked = encoder.encode_embedded(encoder.embed_tokens(other), other)
    assert torch.allclose(found[0], found[1], atol=1e-6)
    assert not torch.allclose(unmasked[0], plain[0], atol=1e-4)
    assert not torch.allclose(found[0][0], plain[0], atol=1e-4)
    assert torch.allclose(found[0][1], plain[1], atol=1e-5), "the other caption is as it was"


def test_a_tower_without_attention_is_told() -> None:
    with pytest.raises(ModelError, match="no attention"), HiddenKeys(torch.zeros(1, 3) > 0):
        torch.ones(3).sum()
    query = torch.ones(1, 1, 4, 2)
    with pytest.raises(ModelError, match="4 tokens"), HiddenKeys(torch.zeros(1, 3) > 0):
        torch.nn.functional.scaled_dot_product_attention(query, query, query)
