"""A Learner: networks, optimizers, one training step and the views of one model family.

It has no loop, no files, no threads and no plots: `engine.trainer` iterates it, hosts differ
only in who iterates the trainer.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from engine.config import Config
from engine.errors import NotFound, Rejected
from engine.payloads import Payload
from engine.tensors import DataSpec, DataView

F = TypeVar("F", bound=Callable[..., Payload])
Record = dict[str, Tensor]


def preview(function: F) -> F:
    """Mark a Learner's method as a view: `(self, data, **args) -> Payload`, in eval mode."""
    function.is_preview = True  # type: ignore[attr-defined]
    return function


@dataclass(frozen=True)
class LiveView:
    """A view that is redrawn while a run trains, at most every `interval_s` seconds."""

    name: str
    interval_s: float


Level = Literal["note", "watch", "warn", "collapse", "total"]


@dataclass(frozen=True)
class Remedy:
    """What would help: a fork of the run with these hyperparameters; `title` names it."""

    key: str
    title: str
    config: dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """Something that metrics give cause to say, in one sentence that names the evidence.

    `remedy` is what to change at once or in a new run; `remedies` are forks from a checkpoint
    at or before step `since`, the last at which all was well.
    """

    name: str
    sentence: str
    remedy: dict[str, Any] | None = None
    level: Level = "note"
    remedies: tuple[Remedy, ...] = ()
    since: int | None = None


class Learner:
    """Base of all model families.

    A subclass sets `live_views`, builds its networks and optimizers in `__init__`, and
    implements `training_step`, `evaluate`, `draw_live` and `draw_kept`. `exploded_at` is how
    many times the first loss counts as divergence. `plain_metrics` are those of
    `evaluate_fully` that are told without "test/"; None for all. `next_batch`, set while a run
    trains, returns what the next `training_step` will get, with the generators seeded for it.
    """

    live_views: ClassVar[tuple[LiveView, ...]] = ()
    exploded_at: ClassVar[float] = 1e3
    monitor_interval_s: ClassVar[float] = 0.0  # 0: there is no monitor
    plain_metrics: ClassVar[tuple[str, ...] | None] = ("latent_dim",)
    next_batch: Callable[[], tuple[Tensor, Tensor, int]] | None = None
    steps: int = 0  # taken so far, as far as is known

    def __init__(self, config: Config, spec: DataSpec, device: torch.device) -> None:
        self.config = config
        self.spec = spec
        self.device = device
        self.networks: dict[str, nn.Module] = {}
        self.optimizers: dict[str, Optimizer] = {}
        self.look: dict[str, Any] = {}

    @classmethod
    def spec_of(
        cls, config: Any, data: DataView, tensors: dict[str, Tensor] | None = None
    ) -> DataSpec:
        """Return what the networks must know of the data, before they are built.

        `tensors` are a checkpoint's, where one is restored.
        """
        return data.spec

    def examples(self, data: DataView) -> Any:
        """Return what training takes its batches from: the training split, for most families."""
        return data.train

    @property
    def examples_per_step(self) -> int:
        """How many training examples `training_step` is given."""
        return int(self.config.batch_size)  # type: ignore[attr-defined]

    def training_step(self, images: Tensor, labels: Tensor, step: int) -> Record:
        """Learn from one batch; return 0-dim tensors on the device, without reading them.

        `images` are float (B, C, H, W) in [0, 1], or points (B, 2) as they are; `labels` are
        int64 (B); `step` counts from 0. The record has a `loss`.
        """
        raise NotImplementedError

    def evaluate(self, data: DataView, *, seed: int, limit: int | None) -> dict[str, float]:
        """Return the metrics on the first `limit` test images (all when None)."""
        raise NotImplementedError

    def evaluate_fully(
        self, data: DataView, *, seed: int, samples: int | None = None
    ) -> dict[str, float]:
        """Return every metric of `python -m engine evaluate`, on the whole test split.

        `samples` is how many examples a generator draws; None for the published number.
        """
        return self.evaluate(data, seed=seed, limit=None)

    def alerts(self, metrics: dict[str, float]) -> list[Finding]:
        """Return what these test metrics give cause to say."""
        return []

    def monitor(
        self, data: DataView, step: int
    ) -> tuple[dict[str, float], Payload | None, list[Finding]]:
        """Look closer, every `monitor_interval_s` seconds: numbers, a view, and findings.

        Called in eval mode, without gradients; changes nothing of what is learnt.
        """
        return {}, None, []

    def recall(self, data: DataView, step: int, values: dict[str, float]) -> None:
        """Take in what `monitor` saw before this run was put away and taken up again."""

    def lower_rates(self) -> dict[str, float]:
        """Return the learning rates to go on with after the run has diverged."""
        rate = getattr(self.config, "learning_rate", None)
        return {} if rate is None else {"learning_rate": lowered(rate)}

    def graft(self, tensors: dict[str, Tensor], old: Config) -> dict[str, Tensor]:
        """Fit a checkpoint's tensors to this architecture where a fork changed it.

        `old` is the config that they were trained with. New tensors start as initialised here.
        """
        return tensors

    def complete(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Fill up what a checkpoint may lack of this architecture: nothing, for most families."""
        return tensors

    def settings_now(self, step: int) -> dict[str, float]:
        """Return the scheduled hyperparameters at a step, for the curves."""
        return {}

    def warm_pool(self, data: DataView) -> None:
        """Compute now what the first view of a saved model would have to wait for."""

    def forget(self) -> None:
        """Drop what was computed from weights that have moved since."""

    def draw_live(self, name: str, tick: int, data: DataView) -> Payload:
        """Draw one live view; `tick` counts its drawings, so that parts can take turns."""
        raise NotImplementedError

    def draw_kept(self, data: DataView) -> dict[str, Payload]:
        """Draw what the timeline keeps of this step."""
        return {}

    def reconfigure(self, config: Config) -> None:
        """Take over a config that differs in live fields only."""
        self.config = config

    # ------------------------------------------------------------------ views

    @classmethod
    def previews(cls) -> tuple[str, ...]:
        """Return the names of all views."""
        names = (n for n in dir(cls) if getattr(getattr(cls, n), "is_preview", False))
        return tuple(n.removeprefix("view_") for n in names)

    def draw(self, name: str, data: DataView, args: dict[str, Any]) -> Payload:
        """Draw the view `name` in eval mode, without gradients and without touching training.

        Raises `NotFound` for an unknown view and `Rejected` for arguments it does not know.
        """
        method = getattr(self, f"view_{name}", None)
        if method is None or not getattr(method, "is_preview", False):
            known = ", ".join(self.previews())
            raise NotFound(f"There is no view {name!r:.60}; known are {known}.")
        try:
            inspect.signature(method).bind(data, **args)
        except TypeError as error:
            raise Rejected(f"View {name}: {error}.") from error
        with self.evaluating():
            payload: Payload = method(data, **args)
        return payload

    def evaluating(self) -> _Evaluating:
        """Return a context: eval mode, no gradients, random state and modes put back after."""
        return _Evaluating(self)

    # ------------------------------------------------------------------ state

    def tensors(self, *, optimizers: bool = True) -> dict[str, Tensor]:
        """Return everything that the next step depends on, as named tensors."""
        found = {}
        for name, network in self.networks.items():
            for key, value in network.state_dict().items():
                found[f"networks.{name}.{key}"] = value
        if optimizers:
            for name, optimizer in self.optimizers.items():
                for index, slots in optimizer.state_dict()["state"].items():
                    for key, value in slots.items():
                        found[f"optimizers.{name}.{index}.{key}"] = torch.as_tensor(value)
        return found

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` gave; names and shapes were checked by `engine.checkpoint`."""
        for name, network in self.networks.items():
            prefix = f"networks.{name}."
            state = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            network.load_state_dict(state, strict=True)
        for name, optimizer in self.optimizers.items():
            prefix = f"optimizers.{name}."
            slots: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                if key.startswith(prefix):
                    index, slot = key.removeprefix(prefix).split(".", 1)
                    slots.setdefault(int(index), {})[slot] = value.clone()
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": slots, "param_groups": groups})

    def trainable(self) -> list[nn.Parameter]:
        """Return all parameters that training moves."""
        return [p for n in self.networks.values() for p in n.parameters() if p.requires_grad]


class _Evaluating:
    """Eval mode without gradients; leaves modes and the CPU/CUDA random state as they were."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner

    def __enter__(self) -> None:
        self.modes = {n: m.training for n, m in self.learner.networks.items()}
        for network in self.learner.networks.values():
            network.eval()
        self.random = torch.get_rng_state()
        device = self.learner.device
        self.cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
        self.no_grad = torch.no_grad()
        self.no_grad.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.no_grad.__exit__(*error)
        torch.set_rng_state(self.random)
        if self.cuda is not None:
            torch.cuda.set_rng_state(self.cuda, self.learner.device)
        for name, network in self.learner.networks.items():
            network.train(self.modes[name])


def lowered(rate: float) -> float:
    """Return a learning rate to try after divergence: a third, at most 0.003."""
    return float(f"{min(rate / 3, 3e-3):.2g}")


def update(
    loss: Tensor, optimizer: Optimizer, learning_rate: float, clip: float = 0.0
) -> Tensor | None:
    """Take one optimizer step down `loss`; with `clip`, cut the gradient's norm and return it."""
    optimizer.zero_grad(set_to_none=True)
    with _no_autocast(loss.device):
        loss.backward()
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    norm = None
    if clip > 0:
        params = [p for g in optimizer.param_groups for p in g["params"]]
        norm = nn.utils.clip_grad_norm_(params, clip)  # infinite: measured, left as it is
    optimizer.step()
    return norm


def _no_autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Return the context of a backward pass, which has the types of its forward pass."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def keep_memory_order(optimizers: Mapping[str, Optimizer]) -> None:
    """Lay optimizer slots out as their weights are: fused Adam walks both side by side."""
    for optimizer in optimizers.values():
        for parameter, slots in optimizer.state.items():
            for name, value in slots.items():
                if value.shape == parameter.shape and value.stride() != parameter.stride():
                    slots[name] = torch.empty_like(parameter).copy_(value)


def gradient_norm(parameters: list[nn.Parameter]) -> Tensor:
    """Return the 2-norm of all gradients together, on the device."""
    norms = torch._foreach_norm([p.grad for p in parameters if p.grad is not None])
    return torch.linalg.vector_norm(torch.stack(norms))
