"""The whole server, built in a process of its own: Gradio leaves event loops behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ui.conftest import Scanned
from tests.ui.serving import REPOSITORY

pytest.importorskip("gradio")

CHECK = """
import sys
from pathlib import Path
from fastapi.testclient import TestClient
from forensics.ui.app import build_server
from forensics.ui.context import open_context
from forensics.ui.endpoints import NAMES

context = open_context(Path(sys.argv[1]))
client = TestClient(build_server(context), base_url="http://127.0.0.1:7860")
page = client.get("/")
assert page.status_code == 200, page.status_code
assert "/lens/app.css" in page.text
config = client.get("/config").json()
for component in config["components"]:
    for name in ("html_template", "css_template"):
        text = component["props"].get(name) or ""
        assert "${" not in text and "{{" not in text, text
events = config["dependencies"]
offered = sorted(event["api_name"] for event in events if event["api_visibility"] != "private")
assert offered == sorted(NAMES), offered  # those of docs/api.md, and nothing else
assert sys.argv[1] not in page.text + str(config)
for path in ("/gradio_api/file=/etc/passwd", "/file=/etc/passwd", "/gradio_api/upload",
             "/monitoring", "/gradio_api/proxy=http://127.0.0.1"):
    assert client.get(path).status_code in (403, 404), path
assert client.get("/lens/app.css").headers["cache-control"] == "no-cache"
assert client.get("/lens/../app.py").status_code == 404
assert client.get("/", headers={"host": "evil.example"}).status_code == 403
name = sys.argv[2]
run = context.case(name).runs("attention-entropy")[0].id
found = client.get(f"/api/cases/{name}/runs/{run}/attention").json()
assert found["verdict"]["kind"] == "suspicious"
heavy = {"torch", "transformers"} & set(sys.modules)
assert not heavy, heavy
print("held")
"""


def test_the_server_holds_its_rules_and_never_imports_torch(
    scanned: Scanned, tmp_path: Path
) -> None:
    script = tmp_path / "check.py"
    script.write_text(CHECK)
    done = subprocess.run(
        [sys.executable, str(script), str(scanned.context.workspace.root), scanned.name],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.endswith("held\n"), done.stderr[-3000:]
