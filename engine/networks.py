"""Networks that two models share."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from engine.tensors import DataSpec

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


def mlp(widths: list[int], activation: str) -> nn.Sequential:
    """Return linear layers of these widths with the activation between them, not at the end."""
    layers: list[nn.Module] = []
    for i, (fan_in, fan_out) in enumerate(pairwise(widths)):
        if i:
            layers.append(ACTIVATIONS[activation]())
        layers.append(nn.Linear(fan_in, fan_out))
    return nn.Sequential(*layers)


class ConvEncoder(nn.Module):
    """Two strided convolutions (each halves the side), then linear layers to `out` numbers."""

    def __init__(
        self, spec: DataSpec, channels: int, hidden: int, out: int, activation: str
    ) -> None:
        super().__init__()
        c, h, w = spec.shape
        act = ACTIVATIONS[activation]
        self.shape = spec.shape
        self.convolutions = nn.Sequential(
            nn.Conv2d(c, channels, 4, 2, 1),
            act(),
            nn.Conv2d(channels, 2 * channels, 4, 2, 1),
            act(),
        )
        self.head = nn.Sequential(
            nn.Linear(2 * channels * (h // 4) * (w // 4), hidden), act(), nn.Linear(hidden, out)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, P) in [0, 1] to (B, out)."""
        x = x.view(-1, *self.shape)  # B, C, H, W
        x = self.convolutions(x)  # B, 2 channels, H/4, W/4
        return self.head(x.flatten(1))  # B, out


class ConvDecoder(nn.Module):
    """Linear layers, then two transposed convolutions (each doubles the side) to pixels."""

    def __init__(
        self, spec: DataSpec, channels: int, hidden: int, latent_dim: int, activation: str
    ) -> None:
        super().__init__()
        c, h, w = spec.shape
        act = ACTIVATIONS[activation]
        self.grid = (2 * channels, h // 4, w // 4)
        self.head = nn.Sequential(
            nn.Linear(latent_dim, hidden),
            act(),
            nn.Linear(hidden, 2 * channels * (h // 4) * (w // 4)),
            act(),
        )
        self.convolutions = nn.Sequential(
            nn.ConvTranspose2d(2 * channels, channels, 4, 2, 1),
            act(),
            nn.ConvTranspose2d(channels, c, 4, 2, 1),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map (B, D) to (B, P): logits or means, by the likelihood."""
        x = self.head(z).view(-1, *self.grid)  # B, 2 channels, H/4, W/4
        return self.convolutions(x).flatten(1)  # B, P
