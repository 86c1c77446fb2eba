"""The Gradio side: tabs, forms and their events. Only this folder imports gradio."""
