"""The page: Gradio for forms and layout, own routes and modules for everything that moves."""
