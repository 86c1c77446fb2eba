"""What the page shows, without a page."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from forensics.case.names import shown_place, stated_preprocessing
from forensics.data.sample import RowError, Sample
from forensics.detectors.attention_entropy import decide, fit_layers
from forensics.models.base import ImageGrid
from forensics.models.token_maps import token_maps
from forensics.statistics.histogram import gaussians, stacked_histogram
from forensics.ui.evidence import Evidence
from forensics.ui.views.attention import attention_view, ceiling, truth_view
from forensics.ui.views.binary import entropy_bytes, score_bytes
from forensics.ui.views.case import estimate_view
from forensics.ui.views.gallery import LONGEST, error_rows, gallery_page
from forensics.ui.views.layers import layer_curve, layer_histogram
from forensics.ui.views.sample import cell_box, peak_box, sample_view
from forensics.ui.views.scores import score_histogram
from tests.ui import synthetic
from tests.ui.conftest import COUNT

POISONED = COUNT // 10


def test_the_histogram_counts_every_finite_value_once() -> None:
    values = np.array([1.0, 1.1, 2.0, 2.9, 3.0, np.nan, np.inf])
    flagged = np.array([True, True, False, False, True, True, False])
    view = stacked_histogram(values, flagged)
    assert sum(view["flagged"]) == 3
    assert sum(view["kept"]) == 2
    assert view["edges"][0] == 1.0
    assert view["edges"][-1] == 3.0


def test_a_histogram_of_nothing_or_of_one_value_can_be_drawn() -> None:
    nothing = stacked_histogram(np.full(3, np.nan), np.zeros(3, bool))
    assert nothing == {"edges": [], "flagged": [], "kept": []}
    one = stacked_histogram(np.full(5, 2.0), np.zeros(5, bool))
    assert sum(one["kept"]) == 5
    assert one["edges"][0] < 2.0 < one["edges"][-1]


def test_gaussians_of_a_layer_without_a_fit_are_left_out() -> None:
    assert gaussians([0.1, 0.9], [np.nan, np.nan], [1, 1]) == []
    assert gaussians([0.1, 0.9], [2, 3], [0.5, 1])[1] == {"weight": 0.9, "mean": 3.0, "sd": 1.0}


def test_the_curve_marks_the_layers_that_pass(evidence: Evidence) -> None:
    curve = layer_curve(evidence.fits, 2.0, evidence.fits, (1,))
    assert curve["passes"]["root"] == [
        layer in synthetic.SENSITIVE for layer in range(synthetic.LAYERS)
    ]
    assert curve["gate"] == {"root": 2.0, "code": 2.0, "guarded": 2.0, "kl": None}
    assert curve["passes"]["guarded"] == [layer == 1 for layer in range(synthetic.LAYERS)]
    assert len(curve["kl"]) == synthetic.LAYERS
    tight = layer_curve(evidence.fits, 99.0, evidence.fits, ())
    assert not any(tight["passes"]["root"] + tight["passes"]["code"])


def test_the_layer_histogram_shows_both_groups_and_where_they_cross(evidence: Evidence) -> None:
    view = layer_histogram(evidence.values, evidence.fits, evidence.decision(), 1, np.log(64))
    low, high = view["gaussians"]
    assert low["mean"] < view["crossing"] < high["mean"]
    assert sum(view["flagged"]) == POISONED
    assert sum(view["kept"]) == COUNT - POISONED
    assert "layer 1" in view["description"]


def test_scores_without_a_passing_layer_are_an_empty_figure() -> None:
    entropy = np.random.default_rng(0).normal(3, 0.1, size=(300, 4))
    decision = decide(entropy, tau=50.0, fits=fit_layers(entropy))
    view = score_histogram(decision)
    assert view["edges"] == []
    assert view["cut"] is None
    assert "no layer passes" in view["subtitle"]


def test_the_summary_says_verdict_rules_and_scales(evidence: Evidence) -> None:
    view = attention_view(evidence, None, None)
    assert view["verdict"]["kind"] == "suspicious"
    assert "banana alert" in view["verdict"]["sentence"]
    assert view["rules"]["root"]["flagged"] == POISONED
    assert view["rules"]["code"]["sensitive"] == list(synthetic.SENSITIVE)
    assert view["first_layer"] in synthetic.SENSITIVE
    assert view["entropy_range"][0] < 2.6 < 3.6 < view["entropy_range"][1]
    assert view["unit"] == "nats"
    assert ceiling(evidence) == pytest.approx(np.log(64))


def test_a_stricter_gate_changes_the_verdict_but_not_the_scan(evidence: Evidence) -> None:
    strict = attention_view(evidence, "root", 60.0)
    assert strict["verdict"]["kind"] == "no evidence"
    assert strict["rules"]["root"]["flagged"] == 0
    assert strict["scanned_tau"] == 2.0
    assert not any("poisoned" in key for key in strict)


def test_the_guarded_mode_is_drawn_from_residuals(evidence: Evidence) -> None:
    view = attention_view(evidence, "guarded", None)
    assert view["verdict"]["kind"] == "suspicious"
    assert view["verdict"]["reason"] == "collapse-with-one-answer"
    assert view["score_unit"] == "spreads"
    assert view["measure"] == "residual"
    assert view["rules"]["guarded"]["flagged"] == POISONED
    assert view["rules"]["guarded"]["unit"] == "spreads"
    decision = evidence.decision("guarded")
    histogram = layer_histogram(
        evidence.shown_values("guarded"), evidence.shown_fits(decision), decision, 1, None
    )
    assert histogram["unit"] == "spreads"
    assert histogram["edges"][0] == -3.0
    assert "passes" in histogram["subtitle"]
    assert "with the suspected answer" in score_histogram(decision)["subtitle"]


def test_truth_scores_both_rules(evidence: Evidence) -> None:
    view = truth_view(evidence, {rule: evidence.decision(rule) for rule in ("root", "code")})
    assert len(view["poisoned_rows"]) == POISONED
    assert view["rules"]["root"] == {"precision": 1.0, "recall": 1.0}


def test_boxes_stay_inside_a_cropped_or_padded_picture() -> None:
    (whole,) = token_maps([ImageGrid(rows=4, columns=4)])
    assert cell_box(whole, 5) == (0.25, 0.25, 0.5, 0.5)
    (padded,) = token_maps([ImageGrid(rows=4, columns=4, visible=(0.0, -0.5, 1.0, 1.5))])
    assert peak_box(padded, None, 0) is None  # all of it lies in the padding
    assert peak_box(padded, None, 5) == (0.25, 0.0, 0.5, 0.5)


def test_the_peak_box_takes_in_bright_neighbours_only() -> None:
    (grid,) = token_maps([ImageGrid(rows=4, columns=4)])
    values = np.zeros(16)
    values[5], values[6], values[9], values[15] = 0.5, 0.3, 0.01, 0.4
    assert peak_box(grid, values, 5) == (0.25, 0.25, 0.75, 0.5)


def test_a_sample_that_could_not_be_read_has_no_peaks() -> None:
    nothing = np.full(3, np.nan)
    view = sample_view(
        Sample(id="x", question="q", source="/data/set.json", line=4), 7,
        entropy=nothing, peak_token=np.zeros(3, int), peak_mass=nothing,
        masses=np.full((3, 2, 3), np.nan), grids=(), maps=None,
        reason="Not scanned.", picture=None,
    )  # fmt: skip
    assert view["peaks"] == []
    assert view["entropy"] == [None, None, None]
    assert view["source"] == "set.json"
    assert not view["read"]


def test_tiles_cut_long_texts_and_keep_hostile_ones_as_they_are() -> None:
    hostile = "<img src=x onerror=alert(1)>${document.body.setAttribute('a',1)}"
    samples = [Sample(id=hostile, answer="y" * 1000), Sample(id="b", answer=None)]
    first, second = gallery_page(samples, [3, 4], ["/pictures/c/thumb/3", None])
    assert first["id"] == hostile
    assert len(first["answer"]) == LONGEST
    assert second["picture"] is None
    assert second["answer"] is None


def test_row_errors_name_file_line_reason_and_remedy() -> None:
    rows = error_rows([RowError(source="/a/b.json", line=3, reason="no image", remedy="add it")])
    assert rows == [
        {"source": "b.json", "line": 3, "id": None, "reason": "no image", "remedy": "add it"}
    ]


def test_arrays_are_packed_with_their_shape_first() -> None:
    data = entropy_bytes(np.array([4, 9]), np.array([[1.0, np.nan, 3.0], [4.0, 5.0, 6.0]]))
    assert np.frombuffer(data, "<u4", 2).tolist() == [2, 3]
    assert np.frombuffer(data, "<i4", 2, offset=8).tolist() == [4, 9]
    assert np.frombuffer(data, "<f4", 6, offset=16)[3:].tolist() == [4.0, 5.0, 6.0]
    scores = score_bytes(np.array([np.nan, 2.0]), np.array([False, True]))
    assert np.frombuffer(scores, "<u4", 2).tolist() == [2, 1]
    assert np.frombuffer(scores, "u1", 2, offset=16).tolist() == [0, 1]
    marked = score_bytes(np.zeros(2), np.array([True, False]), np.array([True, False]))
    assert marked[-2:] == bytes([1, 2])
    none = score_bytes(np.array([np.nan]), np.array([False]))
    assert np.frombuffer(none, "<u4", 2).tolist() == [1, 0]


def test_places_are_shown_without_their_long_beginnings(evidence: Evidence) -> None:
    case = evidence.case
    assert shown_place(f"llava:{case.folder}/demo/data.json", case) == "llava:‹case›/demo/data.json"
    assert shown_place("hf:org/name@main", case) == "hf:org/name@main"
    assert shown_place(None, case) is None


def test_the_disk_estimate_knows_the_shape_of_an_adapters_base(evidence: Evidence) -> None:
    model = evidence.case.manifest.model
    whole = replace(evidence.case.manifest, model=f"hf:{model}+adapter:/somewhere")
    case = SimpleNamespace(manifest=whole, runs=lambda method: [])
    expected = COUNT * synthetic.LAYERS * (16 + synthetic.HEADS * 6)
    assert estimate_view(case, [])["bytes"] == expected  # type: ignore[arg-type]
    hub = SimpleNamespace(manifest=replace(whole, model="hf:org/name"), runs=lambda method: [])
    assert estimate_view(hub, [])["bytes"] is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stated", "line"),
    [
        ({}, None),
        ({"open_clip_config": {"preprocess_cfg": {"size": 32, "resize_mode": "squash",
                                                  "mean": [0.5, 0.481454, 1]}}},
         "size 32; resize mode squash; mean 0.5, 0.481, 1"),
        ({"preprocessor_config": {"size": {"shortest_edge": 224}, "resample": 3}},
         "size shortest edge 224; interpolation bicubic"),
        ({"processor_config": {"image_processor": {"image_std": 0.5}}}, "image std 0.5"),
        ({"open_clip_config": 3, "processor_config": [1]}, None),
        ({"preprocessor_config": {"size": "<b>" * 400}}, "size " + ("<b>" * 400)[:295]),
    ],
)  # fmt: skip
def test_what_a_checkpoint_says_of_its_pictures(stated: dict[str, Any], line: str | None) -> None:
    assert stated_preprocessing(stated) == line
