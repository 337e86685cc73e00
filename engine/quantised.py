"""Weights as numbers of 8 bits: half the size of float16, for what is shipped.

Each output of a layer, a row of its weight, has a scale of its own, and its weights are whole
multiples of it from -127 to 127 (as in Jacob et al. 2018, arXiv 1712.05877, symmetric, of
weights only). They are restored when the file is read: nothing is computed in 8 bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

SCALES = "scales."  # before the name of the weight
MOST = 127
SMALLEST = 4096  # numbers of a tensor below which it stays as it is


def quantised(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the large weights of networks as int8 with their scales, the rest as float16."""
    import torch

    from engine.checkpoint import halved

    found = {}
    for name, tensor in halved(tensors).items():
        large = tensor.dtype == torch.float16 and tensor.ndim >= 2 and tensor.numel() >= SMALLEST
        if large and name.startswith("networks."):
            rows = tensor.float().flatten(1)
            scale = (rows.abs().amax(1, keepdim=True) / MOST).clamp_min(1e-6).half()
            whole = (rows / scale.float()).round().clamp(-MOST, MOST).to(torch.int8)
            found[name] = whole.view(tensor.shape)
            found[SCALES + name] = scale.flatten()
        else:
            found[name] = tensor
    return found


def restored(tensors: dict[str, Tensor], file: str) -> dict[str, Tensor]:
    """Return what `quantised` made with its weights as float32 again.

    Raises `CheckpointError` for scales that fit no weight; `file` is named in its sentence.
    """
    found = dict(tensors)
    for key in [k for k in tensors if k.startswith(SCALES)]:
        scale, name = found.pop(key), key.removeprefix(SCALES)
        whole = tensors.get(name)
        if whole is None or whole.ndim < 2 or scale.shape != whole.shape[:1]:
            raise CheckpointError(f"{file} has {key}, which fits none of its weights.")
        rows = whole.float().flatten(1) * scale.float()[:, None]
        found[name] = rows.view(whole.shape)
    return found
