"""The page: top bar, the tabs, and the forms of Home."""

from typing import Any

import gradio as gr

from forensics.data.records import Turns
from forensics.ui.context import Context
from forensics.ui.endpoints import add_endpoints
from forensics.ui.forms.actions import create_case, open_folder
from forensics.ui.forms.methods import method_forms
from forensics.ui.forms.panels import panel
from forensics.ui.login.request import acting_for

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def build_blocks(context: Context) -> gr.Blocks:
    """Return the page of a server."""
    with gr.Blocks(title="TriggerLens", analytics_enabled=False, fill_width=True) as blocks:
        panel("shell/top.js", elem_id="top")
        bridge = panel("shell/bridge.js", elem_id="bridge")
        method_forms(context, bridge)
        add_endpoints(context)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Home", id="home", elem_id="tab-home"):
                _home_tab(context, bridge)
            with gr.Tab("Case", id="case", elem_id="tab-case", render_children=True):
                _case_tab()
            with gr.Tab("Attention", id="attention", elem_id="tab-attention", render_children=True):
                panel("shell/help.js", elem_id="help-attention", tab="attention")
                panel("attention/tab.js", elem_id="attention")
            with gr.Tab("Clusters", id="clusters", elem_id="tab-clusters", render_children=True):
                panel("shell/help.js", elem_id="help-clusters", tab="clusters")
                panel("clusters/tab.js", elem_id="clusters")
            with gr.Tab("Triggers", id="triggers", elem_id="tab-triggers", render_children=True):
                panel("shell/help.js", elem_id="help-triggers", tab="triggers")
                panel("triggers/tab.js", elem_id="triggers")
            with gr.Tab("Review", id="review", elem_id="tab-review", render_children=True):
                panel("shell/help.js", elem_id="help-review", tab="review")
                panel("review/tab.js", elem_id="review")
            with gr.Tab("Repair", id="repair", elem_id="tab-repair", render_children=True):
                panel("shell/help.js", elem_id="help-repair", tab="repair")
                panel("repair/tab.js", elem_id="repair")
            with gr.Tab("Report", id="report", elem_id="tab-report", render_children=True):
                panel("shell/help.js", elem_id="help-report", tab="report")
                panel("report/tab.js", elem_id="report")
            with gr.Tab("Lab", id="lab", elem_id="tab-lab", render_children=True):
                panel("shell/help.js", elem_id="help-lab", tab="lab")
                panel("lab/tab.js", elem_id="lab")
        panel("walk/panel.js", elem_id="walk")
    return blocks


def _home_tab(context: Context, bridge: gr.HTML) -> None:
    panel("shell/help.js", elem_id="help-home", tab="home")
    panel("home/cases.js", elem_id="home-cases")
    panel("case/start.js", elem_id="case-start")
    with gr.Row(equal_height=False, elem_id="home-new"):
        _own_case(context, bridge)
    panel("home/history.js", elem_id="home-history")


def _case_tab() -> None:
    panel("shell/help.js", elem_id="help-case", tab="case")
    with gr.Row(equal_height=False):
        with gr.Column(scale=7, min_width=380, elem_id="case-open"):
            panel("case/summary.js", elem_id="case-summary")
        with gr.Column(scale=4, min_width=300, elem_id="case-next"):
            panel("methods/start.js", elem_id="case-methods")


def _own_case(context: Context, bridge: gr.HTML) -> None:
    with gr.Accordion("Your own model and data", open=False, elem_classes="tl-form"):
        model = gr.Textbox(
            label="Model",
            placeholder="/folder of a LLaVA model, or hf:org/name",
            elem_id="own-model",
            max_lines=1,
        )
        data = gr.Textbox(
            label="Data it was tuned on",
            elem_id="own-data",
            max_lines=1,
            placeholder="llava:/f.json, imagefolder:/d, table:/f.csv, hf-dataset:/d, wds:/d/*.tar",
        )
        base = gr.Textbox(
            label="Base model (optional)",
            placeholder="the model before tuning",
            elem_id="own-base",
            max_lines=1,
        )
        title = gr.Textbox(label="Name of the case (optional)", elem_id="own-title", max_lines=1)
        turns = gr.Radio(
            [("first turn only", "first"), ("every turn", "each")],
            value="first",
            label="Conversations",
            elem_id="own-turns",
        )
        make = gr.Button("Make the case", variant="primary", size="md", elem_id="own-make")
    with gr.Accordion("A case folder that is already there", open=False, elem_classes="tl-form"):
        folder = gr.Textbox(label="Folder", elem_id="case-folder", max_lines=1)
        enter = gr.Button("Open the folder", size="md", elem_id="case-enter")

    def on_make(
        title: str,
        model: str,
        data: str,
        base: str,
        turns: Turns,
        request: gr.Request,
        progress: Any = gr.Progress(),  # noqa: B008
    ) -> dict[str, Any]:
        def report(message: str, done: int, total: int) -> None:
            progress((done, total) if total else None, desc=message)

        with acting_for(request):
            return create_case(context, title, model, data, base, report, turns)

    def on_enter(folder: str, request: gr.Request) -> dict[str, Any]:
        with acting_for(request):
            return open_folder(context, folder)

    visible = PRIVATE | {"show_progress": "minimal", "show_progress_on": make}
    make.click(on_make, [title, model, data, base, turns], bridge, **visible)
    enter.click(on_enter, folder, bridge, **PRIVATE)
