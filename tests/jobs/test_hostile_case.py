"""One data set with everything that may be wrong with one, from case to scan to export."""

import csv
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from forensics.case import Case
from forensics.export.scan import export_scan_ids
from forensics.jobs.attention import scan as attention_scan
from forensics.jobs.attention.arrays import load_arrays
from forensics.runs import execute
from forensics.worker.models import ModelCache
from tests.make_case import MakeCase

XSS = "<img src=x onerror=alert(1)> ${document.body.setAttribute(String.fromCharCode(97),1)} {{7}}"


def png_of_30000_pixels_square(path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * (30_000 // 8 + 1) * 30_000)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def sabotage(rows: list[dict[str, Any]], root: Path) -> None:
    images = root / "images"
    (images / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    png_of_30000_pixels_square(images / "2.png")
    (images / "3.png").unlink()
    rows[4]["image"] = "../../../etc/passwd"
    rows[5]["image"] = "/etc/passwd"
    (images / "link.png").symlink_to("/etc/passwd")
    rows[6]["image"] = "images/link.png"
    rows[7]["conversations"] = "not turns"
    rows[8]["id"] = "s0"
    rows[9]["id"] = "=cmd|' /C calc'!A0"
    rows[10]["conversations"][0]["value"] = f"<image>\n{XSS}"
    rows[10]["conversations"][1]["value"] = XSS
    rows[11]["conversations"][0]["value"] = "<image><image>\nUSER: <image> ASSISTANT: </s>"


def run_scan(case: Case) -> tuple[Path, dict[str, Any]]:
    run = case.new_run("attention-entropy", {"batch_size": 8})
    result = execute(
        run, lambda context: attention_scan.run(case, context, run.options, ModelCache())
    )
    return run.folder, result


def test_everything_wrong_is_named_and_everything_else_is_scanned(
    make_case: MakeCase, tmp_path: Path
) -> None:
    case = make_case(40, sabotage)
    errors = {error.id: error for error in case.row_errors()}
    assert case.manifest.errors == 7 and len(case.catalog) == 33
    assert {"s3", "s4", "s5", "s6", "s7", "s11"} <= set(errors)
    assert all(error.line > 0 and error.source and error.reason for error in case.row_errors())
    folder, result = run_scan(case)
    reasons = {case.catalog.ids[f["row"]]: f["reason"] for f in result["failures"]}
    assert set(reasons) == {"s1", "s2"}
    assert "30000" in reasons["s2"].replace(",", "").replace(" ", "")
    assert np.isfinite(load_arrays(folder).entropy).all(axis=1).sum() == 31
    out = tmp_path / "ids.csv"
    export_scan_ids(case, out, which="all")
    with out.open(newline="") as file:
        written = [row["id"] for row in csv.DictReader(file)]
    assert len(written) == 33 and "'=cmd|' /C calc'!A0" in written


def test_a_json_file_cut_off_in_the_middle_gives_its_whole_rows_and_one_error(
    make_case: MakeCase, tiny_llava_folder: Path, tmp_path: Path
) -> None:
    source = make_case(40).folder.parent / "set.json"
    text = json.dumps(json.loads(source.read_text()), indent=1)
    source.write_text(text[: len(text) // 2])
    case = Case.create(tmp_path / "cut", model=str(tiny_llava_folder), data=f"llava:{source}")
    [error] = case.row_errors()
    assert 10 < len(case.catalog) < 30
    assert error.line > 100 and error.source.endswith("set.json") and error.reason
    _, result = run_scan(case)
    assert (result["n"], result["failed"]) == (len(case.catalog), 0)
