"""A small GAN on points that its tests share."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from small import CPU

from engine.configs.gan2d import GAN2DConfig
from engine.data import points
from engine.models.gan2d import GAN2DLearner
from engine.tensors import DataView

SMALL = {"generator_width": 12, "discriminator_width": 10, "batch_size": 16, "latent_dim": 3}


@cache
def data(key: str = "ring8") -> DataView:
    return DataView(points.load(key), CPU)


def learner(key: str = "ring8", **config: Any) -> GAN2DLearner:
    torch.manual_seed(0)
    return GAN2DLearner(GAN2DConfig.from_values({**SMALL, **config}), data(key).spec, CPU)
