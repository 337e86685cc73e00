"""Imported once by the fork server, so that every worker starts with all of it in memory.

Building one Adam imports what the first optimizer of a process imports (seconds). Nothing
here may touch CUDA or run a backward pass: both would break in the forked workers.
"""

from __future__ import annotations

import os

os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")

import torch

torch.set_num_threads(1)

import engine.explore
import engine.models.autoencoders
import engine.trainer
from engine import data

torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], fused=True)
data.load("mnist")
