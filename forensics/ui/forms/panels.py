"""Places in the Gradio page that a script module of ours fills.

The template is fixed text: no value of ours, and none of the data, ever goes through Gradio's
template compiler, which would run it as code. Data travel by address; text becomes text nodes.
"""

from typing import Any

import gradio as gr

STATIC = "/lens"


def panel(module: str, *, elem_id: str, tab: str = "", value: Any = None) -> gr.HTML:
    """Return a component whose content is drawn by a script module.

    Args:
        module: Path below the static folder; it exports ``mount({element, props, watch})``.
        elem_id: For tests and styles.
        tab: Handed to the module as ``data-tab``.
        value: First value, JSON; the module watches it.
    """
    for text in (module, elem_id, tab):
        if not set(text) <= _PLAIN:  # ours and constant, and it shall stay so
            raise ValueError(f"{text!r} cannot stand in a template")
    return gr.HTML(
        value=value,
        html_template=f'<div class="tl-root" data-tab="{tab}"></div>',
        js_on_load=(
            f'import("{STATIC}/{module}").then((part) => part.mount({{element, props, watch}}));'
        ),
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes="tl-html",
    )


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-/._")
