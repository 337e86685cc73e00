"""The stability atlas: many small GANs on points at once, which differ in two learning rates.

Cell (i, j) is the GAN of `engine.models.gan2d` with the generator's rate i and the
discriminator's rate j. All cells start from the same weights and see the same data and noise, so
that what becomes of them is a matter of the rates alone. They are trained together, as stacked
matrices (`engine.atlas_networks`); no cell's numbers depend on another's. A cell whose gradient
is not finite any more stands still from then on, and counts as diverged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from engine import gan2d_networks
from engine.adversarial import draw_noise
from engine.atlas_networks import (
    CellOptimizer,
    Losses,
    Pass,
    StackedMLP,
    discriminator_losses,
    generator_losses,
    slope_penalty,
)
from engine.atlas_states import POINTS, STATES, Reading, Ruler, reference
from engine.config import Config
from engine.configs.gan2d_atlas import AtlasConfig
from engine.errors import Rejected
from engine.learner import Learner, LiveView, Record, lowered, preview
from engine.modes import SAMPLES
from engine.payloads import Arrays
from engine.tensors import DataSpec, DataView

NETWORKS, ENDS = ("generator", "discriminator"), ("lowest", "highest")
DRAWN = 24  # points of each cell that the atlas shows
REAL = 300  # points of the data that are shown behind them
WATCH_EVERY = 50  # steps between two looks at what each cell draws; from experience
KEPT, LOOKED = 8, 64  # looks that are remembered, and points in each
FAR = 1e4  # points are remembered up to here, finite also as float16


class Cells(nn.Module):
    """What is remembered of each cell besides its weights; no part of it is learnt.

    `alive` (C); `recent` (KEPT, C, LOOKED, 2), points of the last looks, place after place;
    `steps`, how many have been taken.
    """

    alive: Tensor
    recent: Tensor
    steps: Tensor

    def __init__(self, cells: int, device: torch.device) -> None:
        super().__init__()
        self.register_buffer("alive", torch.ones(cells, dtype=torch.bool, device=device))
        self.register_buffer("recent", torch.zeros(KEPT, cells, LOOKED, 2, device=device))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def looks(self) -> Tensor:
        """Return the remembered looks (K, C, LOOKED, 2), oldest first; K grows to KEPT."""
        count = int(self.steps) // WATCH_EVERY
        places = [look % KEPT for look in range(max(0, count - KEPT), count)]
        return self.recent[places]


class AtlasLearner(Learner):
    """R x C generators and discriminators, each stacked into one network."""

    config: AtlasConfig
    live_views: ClassVar[tuple[LiveView, ...]] = (LiveView("atlas", 0.5),)
    exploded_at: ClassVar[float] = float("inf")
    plain_metrics: ClassVar[tuple[str, ...] | None] = None

    def __init__(self, config: AtlasConfig, spec: DataSpec, device: torch.device) -> None:
        super().__init__(config, spec, device)
        single, count = config.cell(0, 0), config.cells
        g, d = gan2d_networks.generator(single), gan2d_networks.discriminator(single)
        self.generator = StackedMLP(g.linears, g.activation, count, device)
        self.discriminator = StackedMLP(d.linears, d.activation, count, device)
        self.cells = Cells(count, device)
        self.networks = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "cells": self.cells,
        }
        rows, columns = (torch.tensor(rates, device=device) for rates in config.rates)
        self.movers = {
            "generator": self._optimizer(self.generator, rows.repeat_interleave(len(columns))),
            "discriminator": self._optimizer(self.discriminator, columns.repeat(len(rows))),
        }
        self.optimizers = {**self.movers}
        self.passes: dict[str, Pass] = {}
        self.ruler: tuple[str, Ruler] | None = None
        self.reading: tuple[int, np.ndarray, Reading] | None = None  # of this step

    def _optimizer(self, network: StackedMLP, rates: Tensor) -> CellOptimizer:
        c = self.config
        return CellOptimizer(network, rates, c.optimizer, (c.adam_beta1, c.adam_beta2))

    @property
    def examples_per_step(self) -> int:
        """Fresh real points for each of the discriminator's steps; all cells share them."""
        c = self.config
        return c.batch_size * c.packing * c.discriminator_steps

    def noise(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z (B, D), normal or uniform in [-1, 1]."""
        c = self.config
        return draw_noise(c.noise, (count, c.latent_dim), self.device, generator)

    @torch.no_grad()
    def generate(self, z: Tensor) -> Tensor:
        """Return what each cell makes of noise (B, D): points (C, B, 2)."""
        return self.generator(z.t()).transpose(1, 2) * self.spec.scale

    def shown(self, count: int, seed: int = 0) -> Tensor:
        """Return points of each cell, (C, B, 2), from noise that depends on the seed alone.

        They are cut off at FAR, so that all are finite.
        """
        generator = torch.Generator(self.device).manual_seed(seed)
        z = self.noise(count, generator)
        # so many at a time as stay in a CPU's cache
        points = torch.cat([self.generate(part) for part in z.split(LOOKED)], 1)
        return points.nan_to_num(FAR, FAR, -FAR).clamp(-FAR, FAR)

    # ------------------------------------------------------------------ training

    @torch.no_grad()
    def training_step(self, images: Tensor, labels: Tensor, step: int) -> Record:
        """Let each D learn from k batches of points, then each G from its last one."""
        c = self.config
        x = images / self.spec.scale
        each = max(len(x) // c.discriminator_steps // c.packing, 1) * c.packing
        for k in range(c.discriminator_steps):
            z = self.noise(each)
            fake = self._pass("made", self.generator, each).forward(self._alike(z))  # C, 2, mB
            real = x[k * each : (k + 1) * each]
            judged = self._judge(real, fake)
        persuaded = self._persuade(fake)
        self.cells.steps.fill_(step + 1)
        if (step + 1) % WATCH_EVERY == 0:
            self._look()
        return self._record(judged, persuaded)

    def _judge(self, real: Tensor, fake: Tensor) -> Tensor:
        """Let each D take a step on real points (mB, 2) and its own fakes (C, 2, mB)."""
        c, count = self.config, len(real) // self.config.packing
        seen = self._pass("judged", self.discriminator, 2 * count)
        both = seen.inputs
        both[:, :, :count] = self._packed(real.t().unsqueeze(0))
        both[:, :, count:] = self._packed(fake)
        found = discriminator_losses(c.loss, seen.forward(both), count, c.label_smoothing)
        seen.backward(found.slope, weights=True, inputs=False)
        self._penalise(both[:, :, :count], both[:, :, count:])
        self._move(self.movers["discriminator"], found)
        return found.values

    def _penalise(self, real: Tensor, fake: Tensor) -> None:
        c = self.config
        if c.r1_gamma > 0:
            _, gradient = slope_penalty(self.discriminator, real, None)
            self.discriminator.gradient.add_(gradient, alpha=c.r1_gamma)
        if c.loss == "wgan_gp" and c.penalty_weight > 0:
            mix = torch.rand(real.shape[2], 1, device=self.device).view(1, 1, -1)
            between = torch.lerp(fake, real, mix)
            _, gradient = slope_penalty(self.discriminator, between, 1.0)
            self.discriminator.gradient.add_(gradient, alpha=c.penalty_weight)

    def _persuade(self, fake: Tensor) -> Tensor:
        """Let each G take a step on the fakes (C, 2, mB) that it has made last."""
        c, size = self.config, self.config.packing
        packed = self._packed(fake)
        seen = self._pass("fooled", self.discriminator, packed.shape[2])
        found = generator_losses(c.loss, seen.forward(packed))
        slope = seen.backward(found.slope, weights=False, inputs=True)
        assert slope is not None
        if size > 1:  # C, 2m, B to C, 2, mB: undo _packed
            slope = slope.unflatten(1, (size, 2)).permute(0, 2, 3, 1).flatten(2)
        self.passes["made"].backward(slope, weights=True, inputs=False)
        self._move(self.movers["generator"], found)
        return found.values

    def _move(self, optimizer: CellOptimizer, losses: Losses) -> None:
        """Move the cells that have a gradient; the others stand still for good."""
        norms = optimizer.network.gradient_norms()
        self.cells.alive &= norms.isfinite() & losses.values.isfinite()
        optimizer.step_of(self.cells.alive)

    def _record(self, judged: Tensor, persuaded: Tensor) -> Record:
        alive = self.cells.alive
        count = alive.sum().clamp_min(1)

        def mean(values: Tensor) -> Tensor:
            return torch.where(alive, values, 0.0).sum() / count

        loss = mean(judged)
        return {"loss": loss, "discriminator/loss": loss, "generator/loss": mean(persuaded)}

    def _look(self) -> None:
        """Remember what each cell draws from noise that is always the same."""
        place = (int(self.cells.steps) // WATCH_EVERY - 1) % KEPT
        self.cells.recent[place] = self.shown(LOOKED)

    def lower_rates(self) -> dict[str, float]:
        """Return lower bounds of the rates of both networks."""
        names = [f"{end}_{network}_learning_rate" for network in NETWORKS for end in ENDS]
        return {name: lowered(getattr(self.config, name)) for name in names}

    # ------------------------------------------------------------------ forks

    def graft(self, tensors: dict[str, Tensor], old: Config) -> dict[str, Tensor]:
        """Let a fork with another optimizer start without the old one's memory."""
        if old.to_dict()["optimizer"] == self.config.optimizer:
            return tensors
        return {k: v for k, v in tensors.items() if not k.startswith("optimizers.")}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` gave; the optimizers go on counting their steps on the CPU."""
        super().load_tensors(tensors)
        for mover in self.movers.values():
            for slots in mover.state.values():
                if "step" in slots:
                    slots["step"] = slots["step"].cpu()

    # ------------------------------------------------------------------ evaluation

    def evaluate(self, data: DataView, *, seed: int, limit: int | None) -> dict[str, float]:
        """Return the share of cells in each state, and means over all cells.

        States are judged by points of fixed noise; there is nothing to limit.
        """
        return self._shares(self._read(data)[1])

    def evaluate_fully(
        self, data: DataView, *, seed: int, samples: int | None = None
    ) -> dict[str, float]:
        """Return the same on `samples` points a cell, 2,500 as published when None."""
        with self.evaluating():
            points = self.shown(samples or SAMPLES, seed).cpu().numpy()
            return self._shares(self._judged(data, points))

    def _shares(self, reading: Reading) -> dict[str, float]:
        found = {
            f"{name}_share": float((reading.state == number).mean())
            for number, name in enumerate(STATES)
        }
        return {
            **found,
            "modes_strict": float(reading.strict.mean()),
            "high_quality_share": float(reading.quality.mean()),
            "best_modes_strict": float(reading.strict.max()),
        }

    def forget(self) -> None:
        """Drop what was read from weights that have moved since."""
        self.reading = None

    def _read(self, data: DataView) -> tuple[np.ndarray, Reading]:
        """Return points (C, POINTS, 2) of each cell and what they tell; the same within a step."""
        steps = int(self.cells.steps)
        if self.reading is None or self.reading[0] != steps:
            points = self.shown(POINTS).cpu().numpy()
            self.reading = (steps, points, self._judged(data, points))
        return self.reading[1:]

    def _judged(self, data: DataView, points: np.ndarray) -> Reading:
        looks, alive = self.cells.looks().cpu().numpy(), self.cells.alive.cpu().numpy()
        return self._ruler(data).read(points, looks, alive, int(self.cells.steps))

    def _ruler(self, data: DataView) -> Ruler:
        if self.ruler is None or self.ruler[0] != data.dataset.fingerprint:
            self.ruler = (data.dataset.fingerprint, Ruler(data.dataset))
        return self.ruler[1]

    # ------------------------------------------------------------------ views

    def draw_live(self, name: str, tick: int, data: DataView) -> Arrays:
        """Draw the atlas as it is now."""
        return self.view_atlas(data)

    @preview
    def view_atlas(self, data: DataView) -> Arrays:
        """Return state, modes, quality and a few points of all cells, rows of G by columns of D.

        `modes` counts the places that are covered, of `values["modes"]`; `strict` those by the
        published strict count.
        """
        points, reading = self._read(data)
        rows, columns = self.config.rates
        shape = (len(rows), len(columns))
        return Arrays(
            {
                "state": reading.state.reshape(shape),
                "modes": reading.modes.reshape(shape),
                "strict": reading.strict.reshape(shape),
                "quality": reading.quality.reshape(shape),
                "samples": points[:, :DRAWN].reshape(*shape, DRAWN, 2),
                "real": reference(data.dataset)[:REAL],
            },
            self._values(data),
        )

    @preview
    def view_cell(self, data: DataView, *, row: int, column: int) -> Arrays:
        """Return 512 points of one cell, its numbers, and the config of a run that repeats it."""
        rows, columns = self.config.rates
        where = (("row", row, len(rows)), ("column", column, len(columns)))
        for name, value, count in where:
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
                raise Rejected(
                    f"{name} must be a whole number from 0 to {count - 1}; got {value!r:.40}.",
                    field=name,
                )
        points, reading = self._read(data)
        cell = row * len(columns) + column
        told: Mapping[str, Any] = {
            "row": row,
            "column": column,
            "state": int(reading.state[cell]),
            "modes_reached": int(reading.modes[cell]),
            "modes_strict": int(reading.strict[cell]),
            "quality": float(reading.quality[cell]),
            "config": self.config.cell(row, column).to_dict(),
        }
        arrays = {"generated": points[cell], "real": reference(data.dataset)[:POINTS]}
        return Arrays(arrays, {**self._values(data), **told})

    def _values(self, data: DataView) -> dict[str, Any]:
        ruler = self._ruler(data)
        rows, columns = self.config.rates
        return {
            "generator_rates": rows,
            "discriminator_rates": columns,
            "step": int(self.cells.steps),
            "states": STATES,
            "modes": ruler.total,
            "has_modes": ruler.mixture is not None,
            "extent": ruler.extent,
        }

    # ------------------------------------------------------------------ shapes

    def _alike(self, z: Tensor) -> Tensor:
        """Return noise (B, D) as the same input of all cells, (C, D, B), without copying."""
        return z.t().expand(self.config.cells, -1, -1)

    def _packed(self, x: Tensor) -> Tensor:
        """Join neighbours (C, 2, mB) to what D judges, (C, 2m, B); as `engine.adversarial.pack`."""
        size = self.config.packing
        if size == 1:
            return x
        return x.unflatten(2, (-1, size)).permute(0, 3, 1, 2).flatten(1, 2)

    def _pass(self, name: str, network: StackedMLP, examples: int) -> Pass:
        """Return the memory of a pass, made anew when the number of examples changes."""
        found = self.passes.get(name)
        if found is None or found.examples != examples:
            found = self.passes[name] = Pass(network, examples)
        return found
