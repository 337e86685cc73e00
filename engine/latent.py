"""Geometry of a latent space: planes to look at it, walks through it, a mixture fitted to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.errors import Rejected


@dataclass(frozen=True)
class Plane:
    """A flat map of a D-dimensional space: z = at + (u - u(at)) basis, u(z) = (z - origin) basis'.

    `basis` is (2, D) with orthonormal rows, (1, D) when D is 1; `origin` and `at` are (D,).
    """

    basis: Tensor
    origin: Tensor
    at: Tensor
    names: tuple[str, str]

    def project(self, z: Tensor) -> Tensor:
        """Return map coordinates (…, 2) of codes (…, D); with D = 1 the second one is 0."""
        u = (z - self.origin) @ self.basis.T
        return u if u.shape[-1] == 2 else torch.cat([u, torch.zeros_like(u)], -1)

    def lift(self, u: Tensor) -> Tensor:
        """Return codes (…, D) of map coordinates (…, 2), off the plane where `at` is."""
        flat = u[..., : self.basis.shape[0]]
        here = (self.at - self.origin) @ self.basis.T
        return self.at + (flat - here) @ self.basis

    def describe(self) -> dict[str, Any]:
        """Return basis, origin and base point as plain lists."""
        return {
            "basis": self.basis.tolist(),
            "origin": self.origin.tolist(),
            "at": self.at.tolist(),
            "names": list(self.names),
        }

    def ellipse(self, mean: Tensor, sd: Tensor | None) -> dict[str, Any] | None:
        """Return the one-sd ellipse on the map of N(mean, diag(sd^2)), or None without sd.

        Keys: center [2], radii [2], angle (radians, of the first radius from the first axis).
        """
        if sd is None:
            return None
        center = self.project(mean).tolist()
        if self.basis.shape[0] == 1:
            return {"center": center, "radii": [float(sd[0]), 0.0], "angle": 0.0}
        covariance = ((self.basis * sd.square()) @ self.basis.T).cpu().double()  # 2, 2
        values, vectors = torch.linalg.eigh(covariance)
        radii = values.clamp_min(0).sqrt().flip(0)
        angle = math.atan2(float(vectors[1, 1]), float(vectors[0, 1]))
        return {"center": center, "radii": radii.tolist(), "angle": angle}


def make_plane(codes: Tensor, choice: Any, at: Any, previous: Tensor | None = None) -> Plane:
    """Build the plane that a page asks for: `{"axes": [i, j]}`, `{"pca": true}` or None.

    None means the two axes when D is 1 or 2 and the principal plane of `codes` (N, D) else.
    `previous` is the basis shown before, so that signs and rotation stay when it is redrawn.
    """
    dims = codes.shape[1]
    if choice is None:
        choice = {"axes": [0, min(1, dims - 1)]} if dims <= 2 else {"pca": True}
    if not isinstance(choice, dict):
        raise Rejected('A plane is {"axes": [i, j]} or {"pca": true}.', field="plane")
    if choice.get("pca") and dims > 1:
        origin, basis = _principal(codes, previous)
        names = ("principal axis 1", "principal axis 2")
    else:
        i, j = _axes(choice.get("axes", [0, min(1, dims - 1)]), dims)
        origin = codes.new_zeros(dims)
        basis = codes.new_zeros(1 if dims == 1 else 2, dims)
        basis[0, i] = 1.0
        if dims > 1:
            basis[1, j] = 1.0
        names = (f"z{i + 1}", f"z{j + 1}" if dims > 1 else "(spread only)")
    base = origin if at is None else read_code(at, dims, codes.device, "at")
    return Plane(basis, origin, base, names)


def read_code(value: Any, dims: int, device: torch.device, field: str = "z") -> Tensor:
    """Read a latent point of `dims` finite numbers, or raise `Rejected`."""
    numbers = read_numbers(value, dims, field)
    return torch.tensor(numbers, dtype=torch.float32, device=device)


def read_numbers(value: Any, count: int, field: str) -> list[float]:
    """Read `count` finite numbers within +-1e6, or raise `Rejected`."""
    good = isinstance(value, (list, tuple)) and len(value) == count
    good = good and all(
        isinstance(v, (int, float)) and not isinstance(v, bool) and abs(v) <= 1e6 for v in value
    )
    if not good:
        raise Rejected(
            f"{field} must be a list of {count} numbers between -1e6 and 1e6; got {value!r:.60}.",
            field=field,
        )
    return [float(v) for v in value]


def read_int(value: Any, low: int, high: int, field: str) -> int:
    """Read a whole number from `low` to `high`, or raise `Rejected`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Rejected(
            f"{field} must be a whole number from {low} to {high}; got {value!r:.60}.", field=field
        )
    return value


def interpolate(points: Tensor, frames: int, kind: str) -> Tensor:
    """Return `frames` codes (frames, D) along the path through `points` (N, D), N >= 2.

    `linear` is straight between neighbours; `spherical` turns the direction at a constant
    rate and interpolates the length (White 2016, "Sampling Generative Networks").
    """
    if kind not in ("linear", "spherical"):
        raise Rejected(f"kind must be linear or spherical; got {kind!r:.40}.", field="kind")
    position = torch.linspace(0, len(points) - 1, frames, device=points.device)
    index = position.floor().long().clamp(max=len(points) - 2)
    t = (position - index).unsqueeze(-1)
    a, b = points[index], points[index + 1]
    return torch.lerp(a, b, t) if kind == "linear" else _slerp(a, b, t)


def _slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    length_a, length_b = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
    unit_a, unit_b = a / length_a.clamp_min(1e-8), b / length_b.clamp_min(1e-8)
    angle = (unit_a * unit_b).sum(-1, keepdim=True).clamp(-1, 1).acos()
    sine = angle.sin()
    turned = (((1 - t) * angle).sin() * unit_a + (t * angle).sin() * unit_b) / sine
    turned = turned * torch.lerp(length_a, length_b, t)
    degenerate = (sine < 1e-4) | (length_a < 1e-8) | (length_b < 1e-8)
    return torch.where(degenerate, torch.lerp(a, b, t), turned)


def _axes(value: Any, dims: int) -> tuple[int, int]:
    good = isinstance(value, (list, tuple)) and len(value) == 2
    good = good and all(
        isinstance(v, int) and not isinstance(v, bool) and 0 <= v < dims for v in value
    )
    if not good or (dims > 1 and value[0] == value[1]):
        raise Rejected(
            f"axes must be two different dimensions from 0 to {dims - 1}; got {value!r:.60}.",
            field="axes",
        )
    return value[0], value[1]


def _principal(codes: Tensor, previous: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return mean and the first two principal directions, turned towards `previous`."""
    codes = torch.nan_to_num(codes, posinf=0.0, neginf=0.0)  # a run that diverges is still drawn
    origin = codes.mean(0)
    centred = (codes - origin).cpu().double()
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    basis = vectors[:, -2:].flip(1).T.float().to(codes.device)  # 2, D
    if previous is not None and previous.shape == basis.shape:
        u, _, v = torch.linalg.svd((previous @ basis.T).cpu().double())
        basis = (u @ v).float().to(codes.device) @ basis
    else:
        signs = basis.sum(1).sign()
        basis = basis * torch.where(signs == 0, torch.ones_like(signs), signs).unsqueeze(1)
    return origin, basis


@dataclass(frozen=True)
class Mixture:
    """A Gaussian mixture: weights (K,), means (K, D), Cholesky factors (K, D, D)."""

    weights: Tensor
    means: Tensor
    factors: Tensor

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw (count, D)."""
        component = torch.multinomial(self.weights, count, True, generator=generator)
        noise = torch.randn(count, self.means.shape[1], generator=generator)
        factors = self.factors[component]
        return self.means[component] + (factors @ noise.unsqueeze(-1)).squeeze(-1)

    def log_density(self, z: Tensor) -> Tensor:
        """Return log p(z) for (N, D), in nats."""
        return torch.logsumexp(self._joint(z), 1)

    def _joint(self, z: Tensor) -> Tensor:
        difference = z.unsqueeze(1) - self.means  # N, K, D
        solved = torch.linalg.solve_triangular(
            self.factors, difference.permute(1, 2, 0), upper=False
        )  # K, D, N
        half_log_det = self.factors.diagonal(dim1=1, dim2=2).log().sum(1)
        quadratic = -0.5 * solved.square().sum(1).T  # N, K
        constant = 0.5 * z.shape[1] * math.log(2 * math.pi)
        return self.weights.log() + quadratic - half_log_det - constant


def fit_mixture(codes: Tensor, components: int, seed: int, steps: int = 60) -> Mixture:
    """Fit a full-covariance Gaussian mixture to codes (N, D) by expectation maximisation.

    Starts from k-means++ centres; covariances get 1e-4 of the overall variance on their
    diagonal, so that no component shrinks onto one code.
    """
    codes = codes.double()
    count, dims = codes.shape
    generator = torch.Generator().manual_seed(seed)
    means = _spread_centres(codes, components, generator)
    floor = torch.eye(dims, dtype=torch.float64) * (1e-4 * codes.var(0).mean() + 1e-12)
    shared = torch.cov(codes.T).reshape(dims, dims) / components + floor
    mixture = Mixture(
        torch.full((components,), 1 / components, dtype=torch.float64),
        means,
        torch.linalg.cholesky(shared).expand(components, -1, -1),
    )
    last = -math.inf
    for _ in range(steps):
        joint = mixture._joint(codes)
        total = torch.logsumexp(joint, 1)
        share = (joint - total.unsqueeze(1)).exp()  # N, K
        mass = share.sum(0) + 1e-9
        means = (share.T @ codes) / mass.unsqueeze(1)
        centred = codes.unsqueeze(0) - means.unsqueeze(1)  # K, N, D
        covariance = (centred * share.T.unsqueeze(-1)).transpose(1, 2) @ centred
        covariance = covariance / mass.view(-1, 1, 1) + floor
        mixture = Mixture(mass / count, means, torch.linalg.cholesky(covariance))
        level = float(total.mean())
        if level - last < 1e-5 * abs(level):
            break
        last = level
    return Mixture(mixture.weights.float(), mixture.means.float(), mixture.factors.float())


def _spread_centres(codes: Tensor, components: int, generator: torch.Generator) -> Tensor:
    """Choose centres by k-means++: each next one far from those chosen."""
    first = int(torch.randint(len(codes), (1,), generator=generator))
    centres = [codes[first]]
    distance = (codes - centres[0]).square().sum(1)
    for _ in range(components - 1):
        weights = distance if float(distance.sum()) > 0 else torch.ones_like(distance)
        index = int(torch.multinomial(weights, 1, generator=generator))
        centres.append(codes[index])
        distance = torch.minimum(distance, (codes - codes[index]).square().sum(1))
    return torch.stack(centres)
