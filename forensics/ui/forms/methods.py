"""The drawer "Run a method": a form per method of the registry, made from its options."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from forensics.registry import MethodSpec, load_object
from forensics.ui.context import Context
from forensics.ui.forms.actions import start_from_form
from forensics.ui.forms.controls import option_controls, read_values
from forensics.ui.forms.panels import panel
from forensics.ui.login.request import acting_for
from forensics.ui.views.labels import method_label
from forensics.ui.views.methods import startable

# The page knows which case is open; the form's hidden first field takes it over on a click.
WITH_CASE = "(...given) => [window.triggerlens.state.case ?? '', ...given.slice(1)]"


def method_forms(context: Context, bridge: gr.HTML) -> None:
    """Lay out the drawer; the page's script opens and closes it.

    Must be called inside a Blocks context.
    """
    with gr.Column(elem_id="run-drawer", elem_classes="tl-form"):
        panel("methods/drawer.js", elem_id="run-head")
        opened = gr.Textbox(visible="hidden", elem_id="opened-case")
        for spec in startable():
            with gr.Accordion(method_label(spec), open=False, elem_id=f"run-{spec.name}"):
                _form(context, bridge, opened, spec)


def _form(context: Context, bridge: gr.HTML, opened: gr.Textbox, spec: MethodSpec) -> None:
    panel("methods/about.js", elem_id=f"about-{spec.name}", tab=spec.name)
    names, controls = option_controls(load_object(spec.options), spec.name)
    start = gr.Button("Start", variant="primary", size="md", elem_id=f"start-{spec.name}")
    start.click(
        _on_start(context, spec.name, names), [opened, *controls], bridge, js=WITH_CASE,
        api_visibility="private", show_progress="hidden",
    )  # fmt: skip


def _on_start(context: Context, method: str, names: list[str]) -> Callable[..., dict[str, Any]]:
    def on_start(request: gr.Request, case: str, *values: Any) -> dict[str, Any]:
        with acting_for(request):
            return start_from_form(context, case, method, read_values(names, values))

    return on_start
