"""Randomness as a function of (seed, step): nothing random ever needs saving."""

from __future__ import annotations

import hashlib

MAX_SEED = 2**31 - 1


def stream_seed(seed: int, step: int, purpose: str = "step") -> int:
    """Return a 63-bit seed for one step and one purpose; equal arguments give equal seeds."""
    digest = hashlib.blake2b(f"{purpose}/{seed}/{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
