"""Where an image tower looks at one sample, as the inspector asks for it."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from forensics.case import Case
from forensics.encoders.base import Preprocessing
from forensics.encoders.visible import visible_part
from forensics.errors import ModelError, NotApplicable, OptionError
from forensics.jobs.live import attention
from forensics.jobs.live_pooling import pooling_attention
from forensics.worker.models import ModelCache
from tests.make_case import MakeCase
from tests.tiny_encoders import save_hf_siglip, save_vit, save_vit_average


@pytest.fixture
def case_of(make_case: MakeCase, tmp_path: Path) -> Any:
    def make(save: Any) -> Case:
        model = save(tmp_path / "model")
        return Case.create(tmp_path / "clip", model=str(model), data=make_case(4).manifest.data)

    return make


def maps_of(reply: dict[str, Any]) -> NDArray[np.float32]:
    raw = np.frombuffer(base64.b64decode(reply["maps"]), dtype=np.float16)
    return raw.astype(np.float32).reshape(reply["layers"], reply["heads"], reply["tokens"])


def test_every_block_of_a_tower_with_a_class_token_has_its_map(case_of: Any) -> None:
    case, models = case_of(save_vit), ModelCache()
    reply = pooling_attention(case, {"sample": "s1"}, models)
    assert (reply["layers"], reply["heads"], reply["tokens"]) == (3, 4, 16)
    assert reply["pooling"] == "class token"
    encoder = models.encoder(case.manifest.model)
    seen = encoder.attend(
        encoder.pixels([Image.open(Path(case.manifest.data_root) / "images/1.png")])
    )
    wanted = (seen.maps[0] / seen.maps[0].sum(-1, keepdim=True)).numpy()
    assert np.allclose(maps_of(reply), wanted, atol=1e-3)
    assert np.allclose(reply["rest"], seen.rest[0], atol=1e-6)
    mean = seen.maps[0].mean(1).numpy()
    share = mean / mean.sum(-1, keepdims=True)
    assert np.allclose(reply["entropy"], -(share * np.log(share)).sum(-1), atol=1e-4)
    (grid,) = reply["grids"]
    assert (grid["rows"], grid["columns"]) == (4, 4)
    # 40 x 24 pixels, cropped to a square: a fifth is lost at the left and at the right.
    assert grid["visible"] == pytest.approx((0.2, 0, 0.8, 1))
    assert models.loaded == case.manifest.model, "kept warm for the next question"


def test_what_is_hidden_changes_the_maps(case_of: Any) -> None:
    case, models = case_of(save_vit), ModelCache()
    ask = {"sample": "s1"}
    plain = pooling_attention(case, ask, models)
    hidden = pooling_attention(case, ask | {"hide": [[0.3, 0.2, 0.7, 0.8]]}, models)
    assert np.abs(maps_of(plain) - maps_of(hidden)).max() > 0.01
    with pytest.raises(OptionError, match="does not lie inside"):
        pooling_attention(case, ask | {"hide": [[0.3, 0.2, 1.7, 0.8]]}, models)
    with pytest.raises(OptionError, match="pictures 0 to 0"):
        pooling_attention(case, ask | {"image": 1}, models)


def test_siglip_has_one_map_of_its_pooling_layer(case_of: Any) -> None:
    reply = pooling_attention(case_of(save_hf_siglip), {"sample": "s0"}, ModelCache())
    assert (reply["layers"], reply["heads"], reply["pooling"]) == (1, 4, "attention pooling")
    assert np.allclose(reply["rest"], 0, atol=1e-6)
    assert reply["grids"][0]["visible"] == (0.0, 0.0, 1.0, 1.0)


def test_a_tower_that_averages_says_so(case_of: Any) -> None:
    with pytest.raises(NotApplicable, match="averages its patches"):
        pooling_attention(case_of(save_vit_average), {"sample": "s0"}, ModelCache())


def test_an_encoder_is_not_asked_for_words(case_of: Any) -> None:
    case = case_of(save_vit)
    with pytest.raises(ModelError, match="CLIP-like encoder"):
        attention(case, {"sample": "s0"}, ModelCache())


@pytest.mark.parametrize(
    ("fit", "shorter", "size", "wanted"),
    [
        ("squash", None, (80, 20), (0, 0, 1, 1)),
        ("shortest", None, (64, 64), (0, 0, 1, 1)),
        ("shortest", None, (128, 64), (0.25, 0, 0.75, 1)),
        ("shortest", 64, (64, 64), (0.25, 0.25, 0.75, 0.75)),
        ("longest", None, (64, 32), (0, -0.5, 1, 1.5)),
    ],
)
def test_the_visible_part(fit: Any, shorter: Any, size: Any, wanted: Any) -> None:
    made = Preprocessing(
        height=32, width=32, mean=(0, 0, 0), std=(1, 1, 1), interpolation="bicubic", fit=fit,
        shorter=shorter,
    )  # fmt: skip
    assert visible_part(made, *size) == pytest.approx(wanted)
