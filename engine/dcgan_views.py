"""The views of a generator of pictures: samples, one sample, walks, arithmetic, a game.

A Learner that mixes this in gives `noise`, `generate`, `score`. Noise that travels to the page
has four decimals, and pictures are made of what travelled: sent back, it gives the same picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from engine.adversarial import middle, probability
from engine.dcgan_neighbours import NearestPictures
from engine.dcgan_networks import describe
from engine.errors import Rejected
from engine.features import FeatureNet, feature_net
from engine.latent import interpolate, read_code, read_int
from engine.learner import preview
from engine.monitor import ImageMonitor
from engine.payloads import Payload, Sheet, Views, picture, sheet
from engine.rng import MAX_SEED
from engine.tensors import DataView

COLUMNS = 8
LIVE_COUNT = 64
MOST_CODES = 16  # points of a walk, or of one term of the arithmetic
DECIMALS = 4
COMPANIONS = 31  # D judges a picture in a batch, as in training


class PictureViews:
    """Views of a generator; see the module's docstring for what the host class gives."""

    if TYPE_CHECKING:
        config: Any
        spec: Any
        device: torch.device
        look: dict[str, Any]
        generator: Any
        discriminator: Any

        def noise(self, count: int, generator: torch.Generator | None = None) -> Tensor:
            """Return noise (count, D)."""

        def generate(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
            """Return pictures in [0, 1]."""

        def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
            """Return logits."""

        def usual_labels(self, count: int) -> Tensor:
            """Return labels spread as in the data."""

        def _monitor(self, data: DataView) -> ImageMonitor:
            """Return the monitor of this run."""

    # ------------------------------------------------------------------ live

    def draw_live(self, name: str, tick: int, data: DataView) -> Payload:
        """Draw the pictures of the fixed noise; `look` may give seed, truncation and label."""
        args = self.look.get("samples", {})
        unknown = set(args) - {"seed", "truncation", "label"}
        if unknown:
            raise Rejected(f"The live samples take seed, truncation and label, not {min(unknown)}.")
        with self.evaluating():  # type: ignore[attr-defined]
            z = self._seeded(args.get("seed", 0), LIVE_COUNT, args.get("truncation", 1.0))
            return self._sheet(
                z, self._labels(args.get("label"), LIVE_COUNT), "samples of fixed noise", 85
            )

    def draw_kept(self, data: DataView) -> dict[str, Payload]:
        """Draw what the timeline keeps: the pictures of the fixed noise."""
        return {"samples": self.draw_live("samples", 0, data)}

    # ------------------------------------------------------------------ views

    @preview
    def view_samples(
        self,
        data: DataView,
        seed: int = 0,
        count: int = LIVE_COUNT,
        truncation: float = 1.0,
        label: int | None = None,
    ) -> Views:
        """Return pictures of the noise of a seed.

        `truncation` is the share of the noise's distribution, around its middle, that each
        number is drawn from: 1 for all of it, less for safer and more similar pictures.
        """
        count = read_int(count, 1, 100, "count")
        z = self._seeded(seed, count, truncation)
        labels = self._labels(label, count)
        shown = None if labels is None else labels.tolist()
        return Views(
            {"sheet": self._sheet(z, labels, f"{count} samples, seed {seed}")},
            {"zs": rounded(z), "labels": shown, "latent_dim": self.config.latent_dim},
        )

    @preview
    def view_sample(
        self,
        data: DataView,
        z: Any = None,
        seed: int = 0,
        index: int = 0,
        truncation: float = 1.0,
        label: int | None = None,
        neighbours: int = 8,
    ) -> Views:
        """Return one picture, what D and the classifier make of it, and its nearest real ones.

        Either `z`, or the place `index` among the samples of a seed. Distances are by pixels,
        the root of the mean squared difference on a scale of 0 to 1.
        """
        index = read_int(index, 0, 99, "index")
        neighbours = read_int(neighbours, 0, 32, "neighbours")
        if z is None:
            code = self._seeded(seed, index + 1, truncation)[index]
            labels = self._labels(label, index + 1)
            labels = None if labels is None else labels[index:]
        else:
            code = read_code(z, self.config.latent_dim, self.device)
            labels = self._labels(label, 1)
        made = self.generate(code.unsqueeze(0), labels)
        items: dict[str, Payload] = {"picture": picture(to_bytes(made)[0], alt="generated picture")}
        values: dict[str, Any] = {
            "z": rounded(code),
            "label": None if labels is None else int(labels[0]),
            "score": self._opinion_alone(data, made, labels),
            "class_names": list(self.spec.class_names),
            "class_probabilities": None,
        }
        likely = self._features(data).probabilities(made)
        if likely is not None:
            values["class_probabilities"] = [round(float(p), 4) for p in likely[0]]
        if neighbours:
            found, distances = self._nearest(data).find(made[0], neighbours)
            tiles = data.train.pixels[found].cpu().numpy()
            captions = tuple(f"{float(d):.3f}" for d in distances)
            alt = "nearest training pictures"
            items["nearest"] = sheet(tiles, len(tiles), captions=captions, alt=alt)
            values["distances"] = distances.tolist()
            values["indices"] = found.tolist()
            values["nearest_labels"] = data.train.labels[found].tolist()
        return Views(items, values)

    @preview
    def view_near(
        self,
        data: DataView,
        z: Any,
        sd: float = 0.3,
        count: int = 16,
        seed: int = 0,
        label: int | None = None,
    ) -> Views:
        """Return pictures of noise near `z`: a step of size `sd` in random directions."""
        count = read_int(count, 1, 100, "count")
        sd = read_number(sd, 0.0, 10.0, "sd")
        code = read_code(z, self.config.latent_dim, self.device)
        source = self._source(seed)
        step = torch.randn(count, len(code), generator=source).to(self.device)
        near = settle(beside(code, step, sd, self.config.noise))
        drawn = self._sheet(near, self._labels(label, count, same=True), f"{count} like this one")
        return Views({"sheet": drawn}, {"zs": rounded(near), "label": label})

    @preview
    def view_walk(
        self,
        data: DataView,
        zs: Any,
        kind: str = "spherical",
        frames: int = 16,
        label: int | None = None,
    ) -> Views:
        """Return pictures along the path through chosen noise, `spherical` or `linear`."""
        frames = read_int(frames, 2, 100, "frames")
        points = self._codes(zs, "zs", least=2)
        path = settle(interpolate(points, frames, kind))
        labels = self._labels(label, frames, same=True)
        strip = self._sheet(path, labels, f"{kind} walk of {frames} pictures", columns=frames)
        return Views({"strip": strip}, {"zs": rounded(path), "label": label})

    @preview
    def view_arithmetic(
        self, data: DataView, a: Any, b: Any, c: Any, label: int | None = None
    ) -> Views:
        """Return the pictures of the means of a, b, c, and of mean(a) - mean(b) + mean(c).

        Radford et al. 2015, section 6.3.2: means over a few samples are steadier than one.
        """
        means = [self._codes(v, n, least=1).mean(0) for v, n in ((a, "a"), (b, "b"), (c, "c"))]
        z = settle(torch.stack([*means, means[0] - means[1] + means[2]]))
        captions = ("a", "b", "c", "a - b + c")
        drawn = self._sheet(
            z, self._labels(label, 4, same=True), "a, b, c and a - b + c", None, 4, captions
        )
        return Views({"sheet": drawn}, {"zs": rounded(z), "label": label})

    @preview
    def view_game(self, data: DataView, seed: int = 0, count: int = 20) -> Views:
        """Return real test pictures and generated ones, mixed, with the truth and D's scores."""
        count = read_int(count, 2, 100, "count")
        source = self._source(seed)
        made = torch.rand(count, generator=source) < 0.5  # true: generated
        made[torch.randint(count, (1,), generator=source)] ^= bool(made.all() or not made.any())
        batch = count + COMPANIONS  # D judges batches of one kind, as in training
        chosen = torch.randint(len(data.test), (batch,), generator=source).to(self.device)
        real, labels = data.test.batch(chosen), data.test.labels[chosen]
        fake = self.generate(self.noise(batch, source), labels)
        of_real, of_fake = self._opinions(real, labels, fake, labels)[:, :count].cpu()
        scores = torch.where(made, of_fake, of_real)
        mixed = torch.where(made.to(self.device).view(-1, 1, 1, 1), fake[:count], real[:count])
        drawn = sheet(to_bytes(mixed), COLUMNS, alt="real or generated?")
        right = (scores > 0.5) != made
        values = {
            "truth": made.tolist(),
            "scores": scores.tolist(),
            "accuracy": float(right.float().mean()),
            "count": count,
        }
        return Views({"sheet": drawn}, values)

    @preview
    def view_architecture(self, data: DataView) -> Views:
        """Return every layer of both networks, with the size of its output by its formula."""
        c, g, d = self.config, self.generator, self.discriminator
        numbers = c.latent_dim * (2 if c.conditional else 1)
        channels = (self.spec.shape[0] + int(c.conditional)) * c.packing
        values = {
            "generator": describe(g.blocks, (numbers,)),
            "discriminator": describe(d.blocks, (channels, d.side, d.side)),
            "generator_parameters": sum(p.numel() for p in g.parameters()),
            "discriminator_parameters": sum(p.numel() for p in d.parameters()),
            "shape": list(self.spec.shape),
            "side": d.side,
            "packing": c.packing,
            "conditional": c.conditional,
        }
        return Views({}, values)

    @preview
    def view_health(self, data: DataView) -> Views:
        """Return what the monitor says of these weights; a run's own monitor sees nothing of it."""
        kept = self._monitor(data)
        once = kept.aside()
        values, payload, _ = once.tick(self, data, 0)
        kept.real = once.real
        items = payload.items if isinstance(payload, Views) else {}
        told = payload.values if isinstance(payload, Views) else {}
        return Views(items, {**values, **told})

    # ------------------------------------------------------------------ parts of views

    def warm_pool(self, data: DataView) -> None:
        """Prepare the search for nearest training pictures, and the classifier."""
        self._nearest(data)
        self._features(data)

    def _nearest(self, data: DataView) -> NearestPictures:
        if "nearest" not in self.look:
            self.look["nearest"] = NearestPictures(data.train)
        found: NearestPictures = self.look["nearest"]
        return found

    def _features(self, data: DataView) -> FeatureNet:
        if "features" not in self.look:
            self.look["features"] = feature_net(data.dataset, self.device)
        found: FeatureNet = self.look["features"]
        return found

    def _opinions(
        self, real: Tensor, real_labels: Tensor, fake: Tensor, fake_labels: Tensor | None
    ) -> Tensor:
        """Return D's opinions (2, B) in [0, 1] of as many real and generated pictures.

        Each kind is a batch of its own, as in training. A Wasserstein score has no absolute
        level and is counted from halfway between both.
        """
        logits = torch.stack([self.score(real, real_labels), self.score(fake, fake_labels)])
        kind = self.config.loss
        return probability(kind, logits - middle(kind, logits[0], logits[1]))

    def _opinion_alone(self, data: DataView, made: Tensor, labels: Tensor | None) -> float:
        """Return D's opinion of one generated picture, judged among fixed other ones."""
        batch = slice(0, 1 + COMPANIONS)
        real, classes = data.test.batch(batch), data.test.labels[batch]
        more = self.usual_labels(len(real) - 1) if self.config.conditional else None
        others = self.generate(self._seeded(0, len(real) - 1, 1.0), more)
        if labels is not None and more is not None:
            labels = torch.cat([labels, more])
        return float(self._opinions(real, classes, torch.cat([made, others]), labels)[1, 0])

    def _source(self, seed: Any) -> torch.Generator:
        return torch.Generator().manual_seed(read_int(seed, 0, MAX_SEED, "seed"))

    def _seeded(self, seed: Any, count: int, truncation: Any) -> Tensor:
        """Return the noise of a seed; that of the first n samples does not depend on count."""
        share = read_number(truncation, 0.0, 1.0, "truncation")
        source = self._source(seed)
        z = torch.cat([self.noise(1, source) for _ in range(count)])
        return settle(truncate(z, share, self.config.noise))

    def _codes(self, value: Any, field: str, least: int) -> Tensor:
        if not isinstance(value, list) or not least <= len(value) <= MOST_CODES:
            raise Rejected(
                f"{field} must be a list of {least} to {MOST_CODES} points of noise.", field=field
            )
        return torch.stack(
            [read_code(z, self.config.latent_dim, self.device, field) for z in value]
        )

    def _labels(self, label: Any, count: int, same: bool = False) -> Tensor | None:
        """Return labels (count): one for all, or spread over the classes where none is given."""
        classes = len(self.spec.class_names)
        if label is not None:
            if not self.config.conditional:
                raise Rejected(
                    "This model was trained without classes; a label has no meaning for it.",
                    field="label",
                )
            label = read_int(label, 0, classes - 1, "label")
        if not self.config.conditional:
            return None
        if label is None and not same:
            return self.usual_labels(count)
        return torch.full((count,), label or 0, device=self.device)

    def _sheet(
        self,
        z: Tensor,
        labels: Tensor | None,
        alt: str,
        quality: int | None = None,
        columns: int = COLUMNS,
        captions: tuple[str, ...] | None = None,
    ) -> Sheet:
        tiles = to_bytes(self.generate(z, labels))
        columns = min(columns, len(tiles))
        return sheet(tiles, columns, captions=captions, quality=quality, alt=alt)


def truncate(z: Tensor, share: float, noise: str) -> Tensor:
    """Return noise squeezed into the middle `share` of its distribution, number by number."""
    if share >= 1:
        return z
    if noise == "uniform":
        return z * share
    rank = torch.special.ndtr(z.double())
    return torch.special.ndtri(0.5 + share * (rank - 0.5)).to(z.dtype)


def beside(z: Tensor, step: Tensor, sd: float, noise: str) -> Tensor:
    """Return noise near `z`, distributed as the noise is; `step` is drawn from N(0, 1).

    (z + sd step) / sqrt(1 + sd^2); uniform noise takes the step where its rank is normal.
    """
    start = z.double()
    if noise == "uniform":
        start = torch.special.ndtri((start.clamp(-0.9999, 0.9999) + 1) / 2)
    moved = (start + sd * step) / (1 + sd**2) ** 0.5
    moved = 2 * torch.special.ndtr(moved) - 1 if noise == "uniform" else moved
    return moved.to(z.dtype)


def read_number(value: Any, low: float, high: float, field: str) -> float:
    """Read a number from `low` to `high`, or raise `Rejected`."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not low <= value <= high:
        raise Rejected(f"{field} must be {low:g} to {high:g}; got {value!r:.60}.", field=field)
    return float(value)


def settle(z: Tensor) -> Tensor:
    """Return noise as it comes back from the page: rounded."""
    return torch.round(z, decimals=DECIMALS)


def rounded(z: Tensor) -> Any:
    """Return noise as plain lists with few decimals."""
    return np.round(z.double().cpu().numpy(), DECIMALS).tolist()


def to_bytes(x: Tensor) -> np.ndarray:
    """Return pictures in [0, 1] as uint8, same shape."""
    scaled = torch.nan_to_num(x).clamp(0, 1).mul(255).round()
    return scaled.to(torch.uint8).cpu().numpy()
