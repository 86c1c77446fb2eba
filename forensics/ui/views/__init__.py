"""What the page shows, as plain values: pure functions of measurements, no web and no Gradio."""
