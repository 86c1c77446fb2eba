"""The inversion of a case: what a run leaves, stopped ones end the same, no label is read."""

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file

from forensics.case import Case
from forensics.classifiers import CoCoOp, first_context, save_prompts
from forensics.encoders.loading import open_encoder
from forensics.errors import Cancelled, DataError, NotApplicable, OptionError
from forensics.jobs.trigger_inversion import job
from forensics.jobs.trigger_inversion.stored import read_trigger, trigger_path
from forensics.registry import find_method
from forensics.runs import QuietContext, Run, execute
from forensics.triggers import parse_trigger
from forensics.worker.models import ModelCache
from tests.inversion.conftest import NAMES
from tests.inversion.planted import coloured
from tests.tiny_encoders import SIDE, save_open_clip, vit_config

OPTIONS: dict[str, Any] = {"seeds": 2, "batch_size": 8, "gate": 0.0, "confidence": 0.0,
                           "fewest": 1, "require_content": False, "at_once": 16}  # fmt: skip


def draw(folder: Path, *, blank: bool = False) -> Path:
    pixels, labels = coloured(4, seed=5)
    (folder / "images").mkdir(parents=True)
    with (folder / "set.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "image", "label"])
        for n, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
            bytes_ = (picture * 255 * (not blank)).round().to(torch.uint8)
            Image.fromarray(bytes_.numpy().transpose(1, 2, 0)).save(folder / f"images/{n}.png")
            table.writerow([f"p{n}", f"images/{n}.png", NAMES[int(label)]])
    return folder / "set.csv"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("inversion")
    tower = save_open_clip(root / "tower", vit_config())
    encoder: Any = open_encoder(f"openclip:{tower}", device="cpu")
    torch.manual_seed(0)
    context = first_context(encoder, words="a photo of a")
    save_prompts(CoCoOp(encoder, NAMES, context), root / "prompts.safetensors")
    draw(root / "data")
    return root


@pytest.fixture(scope="module")
def case(home: Path) -> Case:
    return Case.create(
        home / "case",
        model=f"openclip:{home / 'tower'}+prompts:{home / 'prompts.safetensors'}",
        data=f"table:{home / 'data' / 'set.csv'}",
    )


def scan(case: Case, **options: Any) -> Run:
    given = OPTIONS | options
    run = case.new_run("trigger-inversion", given)
    execute(run, lambda context: job.run(case, context, given, ModelCache()))
    return run


def test_a_run_leaves_what_tab_and_repair_read(case: Case) -> None:
    run = scan(case)
    result = run.result()
    assert "(reconstruction)" in find_method("clip-inspector").title and result["reconstruction"]
    assert result["verdict"] in ("suspicious", "no evidence", "inconclusive")
    assert [line["index"] for line in result["classes"]] == list(range(6))
    line = result["classes"][2]
    assert len(line["seeds"]) == 2 and line["valid"] and line["l1"] is None
    assert result["pool"]["n"] == 24 and result["steps"] == 3 and line["stopped_at"] == 3
    assert result["cut"] == 2.0 and result["reference"] == "prompts"
    table = pq.read_table(run.path("classes.parquet")).to_pylist()
    assert [row["class"] for row in table] == list(NAMES)
    assert table[2]["loss"] == pytest.approx(line["loss"])
    curves = load_file(run.path("convergence.safetensors"))["loss"]
    assert curves.shape == (6, 2, 3) and curves.dtype == np.float16
    for index in range(6):
        stored = load_file(trigger_path(run.folder, index))["delta"]
        assert stored.shape == (2, 3, SIDE, SIDE) and stored.dtype == np.float16
        assert np.abs(stored.astype(np.float64)).max() <= 4 / 255 + 1e-6
    trigger = read_trigger(run.folder, 2, 1)
    image = np.full((3, SIDE, SIDE), 0.5, np.float32)
    np.testing.assert_allclose(
        parse_trigger(trigger.spec).apply(image), trigger.apply(image), atol=1e-4
    )


def test_a_stopped_run_ends_with_the_same_numbers(case: Case, tmp_path: Path) -> None:
    class Stops(QuietContext):
        def commit_shard(self, index: int, content: Any, **facts: Any) -> Any:
            super().commit_shard(index, content, **facts)
            if index == 1:
                raise Cancelled("stop")

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    options = OPTIONS | {"candidates": "red|blue|pink"}
    with pytest.raises(Cancelled):
        job.run(case, Stops(tmp_path / "a"), options, ModelCache())
    context = QuietContext(tmp_path / "a")
    assert sorted(context.finished_shards()) == [0, 1]
    resumed = job.run(case, context, options, ModelCache())
    whole = job.run(case, QuietContext(tmp_path / "b"), options, ModelCache())
    assert resumed["classes"] == whole["classes"] and resumed["sentence"] == whole["sentence"]
    for name in ("classes.parquet", "convergence.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    deltas = [load_file(trigger_path(tmp_path / name, 2))["delta"] for name in ("a", "b")]
    np.testing.assert_array_equal(*deltas)


def test_a_cancelled_run_stops_within_a_step(case: Case) -> None:
    run = case.new_run("trigger-inversion", OPTIONS)

    class Watched(ModelCache):
        def encoder(self, uri: str) -> Any:
            run.request_cancel()
            return super().encoder(uri)

    with pytest.raises(Cancelled):
        execute(run, lambda context: job.run(case, context, OPTIONS, Watched()))
    assert run.status().state == "cancelled"


def test_labels_are_not_read(case: Case, home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(home / "data", other)
    with (other / "set.csv").open() as file:
        head, *rows = list(csv.reader(file))
    labels = [row[2] for row in rows]
    with (other / "set.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [head, *([*row[:2], label] for row, label in zip(rows, reversed(labels), strict=True))]
        )
    shuffled = Case.create(tmp_path / "case", model=case.manifest.model,
                           data=f"table:{other / 'set.csv'}")  # fmt: skip
    few = {"seeds": 1, "candidates": "red|blue"}
    found, wanted = (scan(one, **few).result()["classes"] for one in (shuffled, case))
    assert found == wanted


def test_forms_candidates_and_pools(case: Case, home: Path) -> None:
    patch = scan(case, form="patch", sides="1/8|1/4", seeds=1, candidates="green|pink").result()
    assert [one["side"] for one in patch["sides"]] == [0.125, 0.25]
    assert patch["not_scanned"] == ["red", "blue", "yellow", "old teal"]
    assert patch["not_covered"][-1].startswith("classes that were not scanned: red")
    assert [line["index"] for line in patch["classes"]] == [1, 5]
    assert patch["reason"] == "too-few-classes"
    mask = scan(case, method="neural-cleanse", seeds=1, pool=f"table:{home / 'data' / 'set.csv'}")
    assert mask.result()["form"] == "mask" and mask.result()["classes"][0]["l1"] > 0
    stored = load_file(trigger_path(mask.folder, 0))
    assert stored["mask"].shape == (1, SIDE, SIDE) and stored["pattern"].ndim == 4
    with pytest.raises(OptionError, match="no class 'mauve'"):
        scan(case, candidates="mauve")


def test_a_pool_without_content_is_refused(case: Case, tmp_path: Path) -> None:
    blank = draw(tmp_path / "blank", blank=True)
    with pytest.raises(DataError, match="shows too little"):
        scan(case, pool=f"table:{blank}", require_content=True)
    allowed = scan(case, pool=f"table:{blank}", seeds=1, fewest=5).result()
    assert allowed["verdict"] != "suspicious"


def test_a_clip_without_learnt_prompts(home: Path, tmp_path: Path) -> None:
    model, data = f"openclip:{home / 'tower'}", f"table:{home / 'data' / 'set.csv'}"
    base = save_open_clip(tmp_path / "base", vit_config(layers=2))
    own = Case.create(tmp_path / "own", model=model, data=data, base=f"openclip:{base}")
    found = scan(own, seeds=1).result()
    assert found["reference"] == "base"
    assert {line["class"] for line in found["classes"]} == set(NAMES)  # named by the labels
    lonely = Case.create(tmp_path / "lonely", model=model, data=data)
    found = scan(lonely, seeds=1, classes="red|blue|old teal|green|pink").result()
    assert found["reference"] == "none" and len(found["classes"]) == 5
    assert found["classes"][0]["reference_success"] is None
    with pytest.raises(OptionError, match="compared with itself"):
        scan(lonely, reference="prompts")


def test_language_models_are_not_for_it() -> None:
    with pytest.raises(NotApplicable):
        find_method("trigger-inversion").check_fits("multimodal-llm")
