"""Imported once by the fork server, so that every worker starts with all of it in memory.

Building one Adam imports what the first optimizer of a process imports (seconds). Nothing
here may touch CUDA or run a backward pass: both would break in the forked workers.
"""

from __future__ import annotations

import os

os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")

import torch

from engine import data
from engine.registry import MODELS

torch.set_num_threads(1)
torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], fused=True)
for entry in MODELS.values():
    entry.learner_class  # noqa: B018  (the import is what is wanted)
data.load("mnist")

import engine.explore  # noqa: E402, F401  (after the threads are set; workers find it loaded)
