"""Which device a run uses, and how many threads: decided here and nowhere else."""

from __future__ import annotations

import torch

from engine.errors import Rejected


def pick_device(name: str = "auto") -> torch.device:
    """Return the device of that name; `auto` takes CUDA, then Apple's MPS, then the CPU.

    Raises `Rejected` when it is not on this machine.
    """
    cuda = torch.cuda.is_available()
    mps = torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise Rejected(
            f"Device must be auto, cpu, cuda, cuda:N or mps; got {name!r:.40}.", field="device"
        ) from error
    missing = (device.type == "cuda" and not cuda) or (device.type == "mps" and not mps)
    if missing or device.type not in ("cpu", "cuda", "mps"):
        raise Rejected(f"Device {name!r:.40} is not on this machine; use cpu.", field="device")
    return device


def seed_step(device: torch.device, seed: int) -> None:
    """Seed the generators that a step draws from."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def limit_memory(device: torch.device, fraction: float | None) -> None:
    """Let this process take at most this part of the GPU's memory; nothing without a GPU.

    A limit of PyTorch's allocator: what CUDA itself needs comes on top.
    """
    if fraction is not None and device.type == "cuda":
        torch.cuda.set_per_process_memory_fraction(fraction, device)


def describe(device: torch.device) -> str:
    """Return the device's name for people."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "CPU" if device.type == "cpu" else device.type.upper()
