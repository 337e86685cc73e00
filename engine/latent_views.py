"""The views of a model with an encoder and a decoder: map, grid, point, walk, drawing …

A Learner that mixes this in gives `posterior`, `decoded_mean`, `targets`, `log_likelihood`.
Pictures are decoded means, uint8. Everything here runs in eval mode and learns nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from engine.errors import Rejected
from engine.latent import (
    Mixture,
    Plane,
    fit_mixture,
    interpolate,
    make_plane,
    read_code,
    read_int,
    read_numbers,
)
from engine.learner import preview
from engine.losses import kl_to_standard_normal
from engine.payloads import Bars, Extent, Payload, Points, Sheet, Views, picture, sheet
from engine.tensors import DataView, Images

LIVE_POINTS = 5000
LIVE_SLICE = 500
KEPT_POINTS = 1000
EXTENT_TICKS = 5  # live pictures between two looks at how far the codes reach
NEIGHBOUR_POOL = 2000  # training codes searched in a live run, encoded anew as it learns
MIXTURE_CODES = 4000


class LatentViews:
    """Views of a latent space; see the module's docstring for what the host class gives."""

    if TYPE_CHECKING:
        config: Any
        spec: Any
        device: torch.device
        look: dict[str, Any]

        def posterior(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
            """Return mean and log-variance."""

        def decoded_mean(self, z: Tensor) -> Tensor:
            """Return pixels in [0, 1]."""

        def log_likelihood(self, out: Tensor, targets: Tensor) -> Tensor:
            """Return log p(x|z)."""

    # ------------------------------------------------------------------ building blocks

    def pictures(self, z: Tensor) -> np.ndarray:
        """Decode (N, D) to uint8 (N, C, H, W)."""
        pixels = self.decoded_mean(z).view(-1, *self.spec.shape)
        return to_bytes(pixels)

    def codes(self, images: Images, count: int, start: int = 0) -> tuple[Tensor, Tensor | None]:
        """Return posterior means (N, D) and standard deviations of images start … start+count.

        Images are encoded from their gray values, so that a picture's place does not flicker.
        """
        means, sds = [], []
        for first in range(start, min(start + count, len(images)), 2000):
            last = min(first + 2000, start + count, len(images))
            mean, logvar = self.posterior(images.batch(slice(first, last)).flatten(1))
            means.append(mean)
            sds.append(None if logvar is None else (0.5 * logvar).exp())
        sd = None if sds[0] is None else torch.cat([s for s in sds if s is not None])
        return torch.cat(means), sd

    def plane(self, data: DataView, choice: Any = None, at: Any = None) -> Plane:
        """Return the plane that a view asks for; a principal one keeps its turn while it moves."""
        if isinstance(choice, dict) and "basis" in choice:
            return read_plane(choice, at, self.config.latent_dim, self.device)
        memory = self.look.setdefault("plane", {})
        codes, _ = self.codes(data.test, 1000)
        plane = make_plane(codes, choice, at, memory.get("basis"))
        if plane.names[0].startswith("principal"):
            memory["basis"] = plane.basis
        return plane

    def _grid_codes(self, plane: Plane, extent: Extent, n: int) -> Tensor:
        """Return codes of the cell centres of an n x n grid over `extent`, top row first."""
        x0, x1, y0, y1 = extent
        half_x, half_y = (x1 - x0) / (2 * n), (y1 - y0) / (2 * n)
        xs = torch.linspace(x0 + half_x, x1 - half_x, n)
        ys = torch.linspace(y1 - half_y, y0 + half_y, n)
        u = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), -1).view(-1, 2)
        return plane.lift(u.to(self.device))

    # ------------------------------------------------------------------ live

    def draw_live(self, name: str, tick: int, data: DataView) -> Payload:
        """Draw a live view; the map is redrawn in slices that take turns."""
        with self.evaluating():  # type: ignore[attr-defined]
            return getattr(self, f"_live_{name}")(tick, data)

    def draw_kept(self, data: DataView) -> dict[str, Payload]:
        """Draw what the timeline keeps: a smaller map, and the grid."""
        with self.evaluating():  # type: ignore[attr-defined]
            plane = self._live_plane(data, 1)
            points = self._points(data, plane, 0, min(KEPT_POINTS, len(data.test)))
            kept = Points(points.xy, points.labels, 0, len(points.labels), points.axes)
            return {"map": kept, "grid": self._live_grid(1, data)}

    def _live_plane(self, data: DataView, tick: int) -> Plane:
        """Return the plane of the live views; a principal one is looked for now and then."""
        args = self.look.get("map", {})
        if self.config.latent_dim <= 2 and not args:
            return make_plane(
                torch.zeros(1, self.config.latent_dim, device=self.device), None, None
            )
        if tick % EXTENT_TICKS == 0 or self.look.get("live_plane_of") != args:
            self.look["live_plane"] = self.plane(data, args.get("plane"), args.get("at"))
            self.look["live_plane_of"] = dict(args)
        found: Plane = self.look["live_plane"]
        return found

    def _live_map(self, tick: int, data: DataView) -> Points:
        total = min(LIVE_POINTS, len(data.test))
        plane = self._live_plane(data, tick)
        if tick == 0:
            return self._points(data, plane, 0, total)
        slices = -(-total // LIVE_SLICE)
        start = (tick % slices) * LIVE_SLICE
        return self._points(data, plane, start, min(LIVE_SLICE, total - start), total)

    def _points(
        self, data: DataView, plane: Plane, start: int, count: int, total: int | None = None
    ) -> Points:
        mean, _ = self.codes(data.test, count, start)
        xy = plane.project(mean).float().cpu().numpy()
        labels = data.test.labels[start : start + len(xy)].cpu().numpy()
        return Points(xy, labels, start, total or len(xy), plane.names)

    def _live_extent(self, data: DataView, plane: Plane, tick: int) -> Extent:
        """Return the part of the map that the codes fill, looked at anew now and then."""
        if tick % EXTENT_TICKS == 0 or "extent" not in self.look:
            codes, _ = self.codes(data.test, 500)
            self.look["extent"] = extent_of(plane.project(codes))
        found: Extent = self.look["extent"]
        return found

    def _live_grid(self, tick: int, data: DataView) -> Sheet:
        args = self.look.get("grid", {})
        plane = self._live_plane(data, 1)
        asked = args.get("extent")
        extent = read_extent(asked) if asked else self._live_extent(data, plane, tick)
        n = read_int(args.get("n", 15), 2, 40, "n")
        tiles = self.pictures(self._grid_codes(plane, extent, n))
        return sheet(tiles, n, extent=extent, quality=80, alt=f"decoding grid, {n} by {n}")

    def _live_atlas(self, tick: int, data: DataView) -> Sheet:
        plane = self._live_plane(data, 1)
        asked = self.look.get("atlas", {}).get("extent")
        extent = read_extent(asked) if asked else widen(self._live_extent(data, plane, 1), 0.15)
        return self._atlas_sheet(plane, extent, 20)

    def _live_reconstructions(self, tick: int, data: DataView) -> Views:
        shown = min(10, len(data.test))
        return self._reconstruct(data, torch.arange(shown, device=self.device))

    # ------------------------------------------------------------------ views

    @preview
    def view_map(
        self, data: DataView, count: int = 5000, plane: Any = None, at: Any = None
    ) -> Views:
        """Return codes of test images on a plane, and what the space as a whole looks like."""
        count = min(read_int(count, 1, 10_000, "count"), len(data.test))
        flat = self.plane(data, plane, at)
        mean, sd = self.codes(data.test, count)
        xy = flat.project(mean).float().cpu()
        labels = data.test.labels[:count].cpu().numpy()
        kl = self._kl_per_dimension(mean, sd)
        values = {
            "extent": extent_of(xy),
            "latent_dim": self.config.latent_dim,
            "class_names": list(self.spec.class_names),
            "kl_per_dimension": None if kl is None else kl.tolist(),
            "active_units": int((mean.var(0) > 1e-2).sum()),
            "variance": mean.var(0).tolist(),
            "plane": flat.describe(),
            "shape": list(self.spec.shape),
        }
        points = Points(xy.numpy(), labels, 0, count, flat.names)
        return Views({"points": points}, values)

    @preview
    def view_atlas(
        self, data: DataView, extent: Any, n: int = 24, plane: Any = None, at: Any = None
    ) -> Sheet:
        """Return decodings at the cell centres of an n x n grid over `extent`, for hovering."""
        n = read_int(n, 2, 40, "n")
        return self._atlas_sheet(self.plane(data, plane, at), read_extent(extent), n)

    def _atlas_sheet(self, plane: Plane, extent: Extent, n: int) -> Sheet:
        tiles = self.pictures(self._grid_codes(plane, extent, n))
        return sheet(tiles, n, extent=extent, quality=85, alt="decodings over the map")

    @preview
    def view_grid(
        self,
        data: DataView,
        n: int = 15,
        extent: Any = None,
        quantiles: bool = False,
        plane: Any = None,
        at: Any = None,
    ) -> Views:
        """Return n x n decodings: linear over `extent`, or at quantiles of the normal prior."""
        n = read_int(n, 2, 40, "n")
        flat = self.plane(data, plane, at)
        if quantiles:
            share = (torch.arange(n, dtype=torch.float64) + 0.5) / n
            ticks = (torch.special.ndtri(share)).float()
            xs, ys = ticks, ticks.flip(0)
            u = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), -1).view(-1, 2)
            z = flat.lift(u.to(self.device))
            edge = float(torch.special.ndtri(torch.tensor(1 - 0.25 / n, dtype=torch.float64)))
            frame: Extent = (-edge, edge, -edge, edge)
        else:
            codes, _ = self.codes(data.test, 1000)
            frame = read_extent(extent) if extent else extent_of(flat.project(codes))
            z = self._grid_codes(flat, frame, n)
            x0, x1, y0, y1 = frame
            xs = x0 + (torch.arange(n) + 0.5) * (x1 - x0) / n
            ys = y1 - (torch.arange(n) + 0.5) * (y1 - y0) / n
        tiles = self.pictures(z)
        grid = sheet(tiles, n, extent=frame, alt=f"decoding grid, {n} by {n}")
        values = {"extent": frame, "xs": xs.tolist(), "ys": ys.tolist(), "plane": flat.describe()}
        return Views({"grid": grid}, values)

    @preview
    def view_point(
        self,
        data: DataView,
        z: Any = None,
        u: Any = None,
        plane: Any = None,
        at: Any = None,
        neighbours: int = 8,
    ) -> Views:
        """Decode one exact point; show the training images whose codes lie nearest."""
        neighbours = read_int(neighbours, 0, 64, "neighbours")
        flat = self._quick_plane(data, plane, at)
        code = self._read_point(flat, z, u)
        shown = picture(self.pictures(code.unsqueeze(0))[0], alt="decoded picture")
        items: dict[str, Payload] = {"picture": shown}
        values: dict[str, Any] = {"z": code.tolist(), "u": flat.project(code).tolist()}
        if neighbours:
            items["neighbours"], values["nearest"] = self._neighbours(data, flat, code, neighbours)
        return Views(items, values)

    @preview
    def view_code(self, data: DataView, index: int, plane: Any = None, at: Any = None) -> Views:
        """Return the code of one test image, with the image and its reconstruction."""
        index = read_int(index, 0, len(data.test) - 1, "index")
        flat = self._quick_plane(data, plane, at)
        return self._encoded(data, flat, data.test.batch(slice(index, index + 1)))

    @preview
    def view_walk(
        self,
        data: DataView,
        points: Any,
        kind: str = "linear",
        frames: int = 24,
        plane: Any = None,
        at: Any = None,
    ) -> Views:
        """Return the decodings along a path through two or more points."""
        frames = read_int(frames, 2, 120, "frames")
        if not isinstance(points, list) or not 2 <= len(points) <= 20:
            raise Rejected("A walk needs 2 to 20 points.", field="points")
        dims = self.config.latent_dim
        stops = torch.stack([read_code(p, dims, self.device, "points") for p in points])
        path = interpolate(stops, frames, kind)
        flat = self._quick_plane(data, plane, at)
        strip = sheet(self.pictures(path), frames, alt=f"walk through {len(points)} points")
        return Views({"strip": strip}, {"zs": path.tolist(), "us": flat.project(path).tolist()})

    @preview
    def view_encode(
        self, data: DataView, picture: str, kind: str = "drawing", plane: Any = None, at: Any = None
    ) -> Views:
        """Encode one's own drawing or photograph, given as a data URL."""
        from engine.data import digits
        from engine.data.reading import read_data_url

        if kind not in ("drawing", "photo"):
            raise Rejected(f"kind must be drawing or photo; got {kind!r:.40}.", field="kind")
        image = read_data_url(picture)
        digit = self.spec.shape == (1, 28, 28) and data.dataset.key == "mnist"
        if digit:
            prepared = digits.prepare_drawing(image, photo=None if kind == "photo" else False)[None]
        else:
            prepared = digits.prepare_picture(image, self.spec.shape)
        x = torch.from_numpy(np.array(prepared)).to(self.device).float().div_(255)
        return self._encoded(data, self._quick_plane(data, plane, at), x.unsqueeze(0))

    @preview
    def view_reconstructions(
        self, data: DataView, count: int = 10, worst: bool = False, seed: int = 0
    ) -> Views:
        """Return original, reconstruction and error of test images: some, or the worst ones."""
        count = min(read_int(count, 1, 50, "count"), len(data.test))
        if worst:
            pool = min(10_000, len(data.test))
            errors = torch.cat(
                [self._errors(data.test.batch(slice(i, i + 1000)))[0] for i in range(0, pool, 1000)]
            )[:pool]
            chosen = errors.topk(count).indices
        else:
            generator = torch.Generator().manual_seed(read_int(seed, 0, 2**31 - 1, "seed"))
            chosen = torch.randperm(len(data.test), generator=generator)[:count].to(self.device)
        return self._reconstruct(data, chosen)

    @preview
    def view_sample(
        self,
        data: DataView,
        prior: str = "normal",
        count: int = 64,
        seed: int = 0,
        components: int = 10,
        plane: Any = None,
        at: Any = None,
    ) -> Views:
        """Decode draws from N(0, I), or from a Gaussian mixture fitted to the codes."""
        count = read_int(count, 1, 256, "count")
        components = read_int(components, 1, 40, "components")
        generator = torch.Generator().manual_seed(read_int(seed, 0, 2**31 - 1, "seed"))
        values: dict[str, Any] = {"prior": prior}
        if prior == "normal":
            z = torch.randn(count, self.config.latent_dim, generator=generator)
        elif prior == "mixture":
            mixture = self._mixture(data, components)
            z = mixture.sample(count, generator)
            values["components"] = components
        else:
            raise Rejected(f"prior must be normal or mixture; got {prior!r:.40}.", field="prior")
        z = z.to(self.device)
        columns = max(1, round(count**0.5))
        drawn = sheet(self.pictures(z), columns, alt=f"{count} samples, {prior} prior")
        flat = self._quick_plane(data, plane, at)
        values |= {"us": flat.project(z).tolist(), "zs": z.tolist()}
        return Views({"sheet": drawn}, values)

    @preview
    def view_traverse(
        self, data: DataView, z: Any = None, dims: Any = None, span: float = 3.0, frames: int = 11
    ) -> Views:
        """Vary one dimension at a time around a point, from -span to +span."""
        frames = read_int(frames, 2, 41, "frames")
        size = self.config.latent_dim
        (span,) = read_numbers([span], 1, "span")
        base = (
            torch.zeros(size, device=self.device) if z is None else self._read_point(None, z, None)
        )
        chosen = list(range(size)) if dims is None else dims
        if not isinstance(chosen, list) or not chosen or len(chosen) > 64:
            raise Rejected("dims must be a list of 1 to 64 dimensions.", field="dims")
        ticks = torch.linspace(-span, span, frames, device=self.device)
        rows = []
        for dim in chosen:
            row = base.repeat(frames, 1)
            row[:, read_int(dim, 0, size - 1, "dims")] = ticks
            rows.append(row)
        tiles = self.pictures(torch.cat(rows)).reshape(len(rows), frames, *self.spec.shape)
        items: dict[str, Payload] = {
            f"z{dim + 1}": sheet(
                tiles[i], frames, alt=f"dimension {dim + 1} from -{span} to {span}"
            )
            for i, dim in enumerate(chosen)
        }
        return Views(items, {"ticks": ticks.tolist(), "z": base.tolist()})

    @preview
    def view_dimensions(self, data: DataView, count: int = 2000) -> Views:
        """Return what each dimension carries: its KL in nats, and the variance of its mean."""
        mean, sd = self.codes(data.test, read_int(count, 1, 10_000, "count"))
        kl = self._kl_per_dimension(mean, sd)
        variance = mean.var(0)
        shown, unit = (variance, "variance") if kl is None else (kl, "nats")
        names = tuple(f"z{i + 1}" for i in range(len(shown)))
        alt = f"{unit} per latent dimension"
        bars = Bars(names, tuple(float(v) for v in shown), unit, alt)
        values = {
            "active_units": int((variance > 1e-2).sum()),
            "latent_dim": self.config.latent_dim,
            "variance": variance.tolist(),
        }
        return Views({"bars": bars}, values)

    # ------------------------------------------------------------------ parts of views

    def _quick_plane(self, data: DataView, choice: Any, at: Any) -> Plane:
        """Return a plane without encoding anything when axes are named or D is at most 2."""
        if isinstance(choice, dict) and "basis" in choice:
            return self.plane(data, choice, at)
        pca = isinstance(choice, dict) and choice.get("pca")
        if not pca and (choice is not None or self.config.latent_dim <= 2):
            empty = torch.zeros(1, self.config.latent_dim, device=self.device)
            return make_plane(empty, choice, at)
        return self.plane(data, choice, at)

    def _read_point(self, flat: Plane | None, z: Any, u: Any) -> Tensor:
        if z is not None:
            return read_code(z, self.config.latent_dim, self.device)
        if u is None or flat is None:
            raise Rejected("A point needs z, or u on a plane.", field="z")
        return flat.lift(torch.tensor(read_numbers(u, 2, "u"), device=self.device))

    def _kl_per_dimension(self, mean: Tensor, sd: Tensor | None) -> Tensor | None:
        if sd is None:
            return None
        return kl_to_standard_normal(mean, 2 * sd.log()).mean(0)

    def _pool(self, data: DataView) -> tuple[Tensor, Tensor | None]:
        """Return codes of training images; kept until the weights move (`forget`)."""
        if "pool" not in self.look:
            size = min(self.look.get("pool_size", {}).get("count", NEIGHBOUR_POOL), len(data.train))
            mean, sd = self.codes(data.train, size)
            self.look["pool"] = {"mean": mean, "sd": sd}
        pool = self.look["pool"]
        return pool["mean"], pool["sd"]

    def warm_pool(self, data: DataView) -> None:
        """Encode the training images now, so that the first click need not."""
        self._pool(data)

    def forget(self) -> None:
        """Drop what was computed from weights that have moved since."""
        self.look.pop("pool", None)
        self.look.pop("mixtures", None)

    def _neighbours(
        self, data: DataView, flat: Plane, code: Tensor, count: int
    ) -> tuple[Sheet, dict[str, Any]]:
        mean, sd = self._pool(data)
        distance = (mean - code).square().sum(1)
        nearest = distance.topk(min(count, len(mean)), largest=False).indices
        labels = data.train.labels[nearest].tolist()
        names = tuple(self.spec.class_names[label] for label in labels)
        tiles = data.train.pixels[nearest].cpu().numpy()
        strip = sheet(tiles, len(tiles), captions=names, alt="nearest training images")
        first = int(nearest[0])
        spread = None if sd is None else sd[first]
        return strip, {
            "label": labels[0],
            "name": names[0],
            "index": first,
            "z": mean[first].tolist(),
            "u": flat.project(mean[first]).tolist(),
            "distance": float(distance[first].sqrt()),
            "sd": None if spread is None else spread.tolist(),
            "ellipse": flat.ellipse(mean[first], spread),
        }

    def _encoded(self, data: DataView, flat: Plane, x: Tensor) -> Views:
        rows = x.flatten(1)
        mean, logvar = self.posterior(rows)
        reconstruction = -float(self.log_likelihood(self.decoder(mean), rows)[0])  # type: ignore[attr-defined]
        sd = None if logvar is None else (0.5 * logvar[0]).exp()
        kl = None if logvar is None else float(kl_to_standard_normal(mean, logvar).sum())
        strip, nearest = self._neighbours(data, flat, mean[0], 8)
        items: dict[str, Payload] = {
            "prepared": picture(to_bytes(x)[0], alt="the picture as the model sees it"),
            "reconstruction": picture(self.pictures(mean)[0], alt="reconstruction"),
            "neighbours": strip,
        }
        values = {
            "z": mean[0].tolist(),
            "u": flat.project(mean[0]).tolist(),
            "sd": None if sd is None else sd.tolist(),
            "ellipse": flat.ellipse(mean[0], sd),
            "reconstruction_nats": reconstruction,
            "kl_nats": kl,
            "elbo_nats": None if kl is None else -(reconstruction + kl),
            "nearest": nearest,
        }
        return Views(items, values)

    def _errors(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the reconstruction cost above the best possible one (B,), and decodings (B, P)."""
        rows = x.flatten(1)
        mean, _ = self.posterior(rows)
        decoded = self.decoded_mean(mean)
        return (decoded - rows).square().sum(1), decoded

    def _reconstruct(self, data: DataView, indices: Tensor) -> Views:
        x = data.test.batch(indices)
        squared, decoded = self._errors(x)
        decoded = decoded.view_as(x)
        labels = data.test.labels[indices].tolist()
        names = tuple(self.spec.class_names[label] for label in labels)
        numbers = tuple(f"{float(e):.3g}" for e in squared)
        count = len(names)
        return Views(
            {
                "original": sheet(to_bytes(x), count, captions=names, alt="test images"),
                "reconstruction": sheet(to_bytes(decoded), count, alt="reconstructions"),
                "error": sheet(
                    to_bytes((decoded - x).abs()), count, captions=numbers, alt="absolute error"
                ),
            },
            {"squared_error": squared.tolist(), "indices": indices.tolist()},
        )

    def _mixture(self, data: DataView, components: int) -> Mixture:
        mixtures = self.look.setdefault("mixtures", {})
        if components not in mixtures:
            codes, _ = self.codes(data.train, MIXTURE_CODES)
            mixtures[components] = fit_mixture(codes.cpu(), components, seed=0)
        return mixtures[components]


def to_bytes(x: Tensor) -> np.ndarray:
    """Return images in [0, 1] as uint8, same shape."""
    scaled = torch.nan_to_num(x).clamp(0, 1).mul(255).round()
    return scaled.to(torch.uint8).cpu().numpy()


def extent_of(xy: Tensor) -> Extent:
    """Return the square part of the map that holds the middle 98 % of the points, widened.

    A square keeps distances equal on both axes.
    """
    finite = torch.nan_to_num(xy.float(), posinf=0.0, neginf=0.0).cpu()
    low = torch.quantile(finite, 0.01, dim=0)
    high = torch.quantile(finite, 0.99, dim=0)
    middle = ((low + high) / 2).tolist()
    half = max(float((high - low).max()) / 2 * 1.15, 1e-3)
    return (middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half)


def widen(extent: Extent, share: float) -> Extent:
    """Return the extent made larger on every side by a share of its width and height."""
    x0, x1, y0, y1 = extent
    dx, dy = (x1 - x0) * share, (y1 - y0) * share
    return (x0 - dx, x1 + dx, y0 - dy, y1 + dy)


def read_extent(value: Any) -> Extent:
    """Read (x0, x1, y0, y1) with x0 < x1 and y0 < y1, or raise `Rejected`."""
    x0, x1, y0, y1 = read_numbers(value, 4, "extent")
    if x0 >= x1 or y0 >= y1:
        raise Rejected("extent must be [x0, x1, y0, y1] with x0 < x1 and y0 < y1.", field="extent")
    return (x0, x1, y0, y1)


def read_plane(choice: dict[str, Any], at: Any, dims: int, device: torch.device) -> Plane:
    """Read a plane that `Plane.describe` gave, so that a principal plane need not be found anew."""
    rows = choice["basis"]
    if not isinstance(rows, list) or len(rows) != (1 if dims == 1 else 2):
        raise Rejected("basis must hold one row, or two, of latent-dimension numbers.", "plane")
    basis = torch.stack([read_code(row, dims, device, "basis") for row in rows])
    origin = read_code(choice.get("origin", [0.0] * dims), dims, device, "origin")
    base = read_code(
        at if at is not None else choice.get("at", origin.tolist()), dims, device, "at"
    )
    names = choice.get("names") or ["u1", "u2"]
    if not isinstance(names, list) or len(names) != 2:
        raise Rejected("names must be a list of two names of axes.", field="plane")
    return Plane(basis, origin, base, (str(names[0])[:40], str(names[-1])[:40]))
