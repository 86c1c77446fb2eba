"""The map of a CLIP case: embeddings of a real tiny encoder, kept in the run and used again."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forensics.case import Case
from forensics.errors import Cancelled, NotApplicable
from forensics.jobs.clusters import clip
from forensics.jobs.clusters import job as clusters
from forensics.lab.pairs import draw_pairs
from forensics.runs import QuietContext, Run, execute
from forensics.worker.models import ModelCache
from tests.fusion_case import NoModels
from tests.tiny_encoders import save_open_clip, vit_config

pytest.importorskip("sklearn")

COUNT = 14  # too few for UMAP, so that the test is quick


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    root = tmp_path_factory.mktemp("pairs")
    data = draw_pairs(root / "pairs", COUNT, seed=8)
    model = save_open_clip(root / "model", vit_config())
    return Case.create(root / "case", model=f"openclip:{model}", data=f"table:{data}")


class NoEncoders(NoModels):
    """A cache that must not be asked for an encoder either."""

    def encoder(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("no encoder is needed")


def draw(case: Case, models: ModelCache, **options: Any) -> Run:
    run = case.new_run("clusters", options)
    execute(run, lambda context: clusters.run(case, context, options, models))
    return run


def test_embeddings_are_those_of_the_encoder_and_are_used_again(case: Case) -> None:
    first = draw(case, ModelCache())
    result = first.result()
    assert (result["mode"], result["metric"], result["measured"]) == ("image", "cosine", True)
    labels = {sample.label for sample in case.catalog}
    assert result["named_by"] == "label" and result["clusters"][0]["answer"] in labels
    arrays = first.arrays(clip.FEATURES)
    image, text = (arrays[name].astype(np.float32) for name in ("image", "text"))
    assert arrays["image"].dtype == np.float16 and arrays["rows"].tolist() == list(range(COUNT))
    np.testing.assert_allclose(np.linalg.norm(image, axis=1), 1, atol=2e-3)
    encoder = ModelCache().encoder(case.manifest.model)
    captions = [str(sample.answer) for sample in case.catalog]
    wanted = encoder.encode_text(captions).detach().float().cpu().numpy()
    np.testing.assert_allclose(text, wanted, atol=2e-3)
    cosine = first.arrays("clusters.safetensors")["cosine"]
    np.testing.assert_allclose(cosine, (image * text).sum(axis=1), atol=2e-3)

    for features in ("text", "pair"):
        again = draw(case, NoEncoders(), features=features).result()
        assert (again["arrays_run"], again["measured"]) == (first.id, False)
        assert again["features"]["columns"] == image.shape[1] * (2 if features == "pair" else 1)


def test_where_the_tower_looks_is_measured_only_when_asked_for(case: Case) -> None:
    for features, columns in (("entropy", 3), ("attention", 3 * 4)):  # 3 layers of 4 heads
        run = draw(case, ModelCache(), features=features)
        found = run.arrays(clip.FEATURES)[features]
        assert found.shape == (COUNT, columns) and np.isfinite(found).all()
        assert run.result()["metric"] == "euclidean"
    assert (found >= 0).all() and (found <= 1).all()
    entropy = draw(case, NoEncoders(), features="entropy").arrays("clusters.safetensors")
    assert entropy["xy"].shape == (COUNT, 2)


def test_an_encoder_says_nothing_before_an_answer(case: Case, tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match="before the answer"):
        clusters.run(case, QuietContext(tmp_path), {"features": "state"}, NoEncoders())


def test_a_stopped_run_goes_on_and_an_unreadable_picture_is_left_out(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(case.manifest.data_root)
    picture = root / str(case.catalog.samples(5, 6)[0].image.path)  # type: ignore[union-attr]
    shutil.copy(picture, tmp_path / "kept")
    monkeypatch.setattr(clip, "_SHARD", 4)

    class Stops(QuietContext):
        def commit_shard(self, index: int, content: Any, **facts: Any) -> Any:
            super().commit_shard(index, content, **facts)
            raise Cancelled("stop")

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    options = {"rescan": True, "batch_size": 3}
    try:
        picture.write_bytes(b"nothing")
        with pytest.raises(Cancelled):
            clusters.run(case, Stops(tmp_path / "a"), options, ModelCache())
        # The shards at hand are not measured anew, whatever the options say.
        resumed = clusters.run(case, QuietContext(tmp_path / "a"), options, ModelCache())
        whole = clusters.run(case, QuietContext(tmp_path / "b"), options, ModelCache())
    finally:
        shutil.copy(tmp_path / "kept", picture)
    assert (resumed["n"], resumed["failed"]) == (COUNT - 1, 1)
    assert [failure["row"] for failure in whole["failures"]] == [5]
    a, b = ((tmp_path / name / "clusters.safetensors").read_bytes() for name in ("a", "b"))
    assert a == b
