"""Hyperparameters and presets of each model family, without torch: the page is up before it."""
