"""Gradio's own controls in the colours of the style sheet."""

import gradio as gr

FONTS = ("system-ui", "-apple-system", "Segoe UI", "DejaVu Sans", "sans-serif")
SHEETS = (
    "app", "shell/bar", "home/home", "clusters", "triggers", "review/review", "repair/repair",
    "report/report", "lab/lab",
)  # fmt: skip
HEAD = "".join(f'<link rel="stylesheet" href="/lens/{name}.css">' for name in SHEETS)


def theme() -> gr.themes.Base:
    """Return the theme; fonts are those of the system, nothing is fetched."""
    base = gr.themes.Base(
        primary_hue=gr.themes.colors.blue, neutral_hue=gr.themes.colors.slate,
        font=list(FONTS), font_mono=["ui-monospace", "DejaVu Sans Mono", "monospace"],
        text_size=gr.themes.sizes.text_sm, spacing_size=gr.themes.sizes.spacing_sm,
        radius_size=gr.themes.sizes.radius_md,
    )  # fmt: skip
    return base.set(
        body_background_fill="#f5f7f9", body_background_fill_dark="#10151c",
        body_text_color="#18202c", body_text_color_dark="#e7ebf1",
        block_background_fill="#ffffff", block_background_fill_dark="#181f29",
        block_border_width="0px", block_border_color="#e2e6ec", block_border_color_dark="#2a3442",
        block_label_background_fill="transparent", block_title_text_weight="600",
        input_background_fill="#ffffff", input_background_fill_dark="#10151c",
        input_border_width="1px", input_border_color="#d5dbe3", input_border_color_dark="#2a3442",
        button_primary_background_fill="#0072b2", button_primary_background_fill_hover="#005f95",
        button_primary_background_fill_dark="#0072b2", button_primary_text_color="#ffffff",
        button_primary_background_fill_hover_dark="#3d9fd8", block_shadow="none",
    )  # fmt: skip
