"""The engine behind every tab: data, models, the training loop, runs and checkpoints.

Shapes in comments and docstrings, one legend for all files:

    B batch    D latent dimension or width    K importance samples or mixture components
    T time     H heads                        V vocabulary
    C x H x W  channels, height and width of images

Images inside the engine are float in [0, 1] unless a docstring says otherwise; in payloads
they are uint8.
"""

__version__ = "0.2.0"
