"""What pictures show, by a small classifier that was trained here and is shipped.

Generators are measured in its features, and their classes counted by its answers. The test
accuracy of each shipped classifier stands in its file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from engine import checkpoint
from engine.configs.classifier import ClassifierConfig
from engine.data.base import Dataset
from engine.errors import CheckpointError
from engine.models.classifier import ClassifierNetwork
from engine.tensors import DataSpec

CHUNK = 128  # pictures at once: what stays in a processor's cache is fastest
STYLES = "emoji-styles"  # trained in changed colours, so that those are no style
OWN = {"mnist": "mnist", "fashion": "fashion", "fashion-full": "fashion", "emoji": "emoji"}


@dataclass(frozen=True)
class FeatureNet:
    """Describes and names pictures (B, C, H, W) in [0, 1] of one data set.

    `stacked`: each colour is a digit, described and named by itself; the features of the three
    stand side by side (B, 3 F), and the class is 100a + 10b + c. `class_names` are None when the
    data set has no classifier of its own: then only the features are of use.
    """

    network: ClassifierNetwork
    spec: DataSpec  # of the pictures that the network was trained on
    class_names: tuple[str, ...] | None
    accuracy: float  # of the network, on the test split that it was trained for
    stacked: bool = False

    def features(self, images: Tensor) -> Tensor:
        """Return features (B, F)."""
        return self._side_by_side(self._described(images))

    def classify(self, images: Tensor) -> Tensor | None:
        """Return classes, int64 (B), or None without a classifier for these pictures."""
        return self.look(images)[1]

    def look(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return features (B, F) and classes (B) or None, from one pass."""
        with torch.no_grad():
            found = self._described(images)
            if self.class_names is None:
                return found, None
            classes = self.network.logits(found).argmax(1)
        if self.stacked:
            a, b, c = classes.view(-1, 3).unbind(1)
            classes = 100 * a + 10 * b + c
        return self._side_by_side(found), classes

    def probabilities(self, images: Tensor) -> Tensor | None:
        """Return the probability of each class (B, K), or None without a classifier."""
        if self.class_names is None:
            return None
        with torch.no_grad():
            likely = self.network.logits(self._described(images)).softmax(1)
        if self.stacked:
            a, b, c = likely.view(-1, 3, 10).unbind(1)
            likely = torch.einsum("na,nb,nc->nabc", a, b, c).flatten(1)  # B, 1000
        return likely

    def activations(self, images: Tensor) -> list[Tensor]:
        """Return what each block of the network makes of pictures, [(B, C, h, w), …]."""
        with torch.no_grad():
            return self.network.activations(fitted(images, self.spec.shape, self.stacked))

    def _described(self, images: Tensor) -> Tensor:
        """Return features of each picture as the network takes it, (B, F), or (3 B, F) stacked."""
        with torch.no_grad():
            images = fitted(images, self.spec.shape, self.stacked)
            return torch.cat([self.network.features(part) for part in images.split(CHUNK)])

    def _side_by_side(self, found: Tensor) -> Tensor:
        return found.view(-1, 3 * found.shape[1]) if self.stacked else found


def feature_net(dataset: Dataset, device: torch.device) -> FeatureNet:
    """Return the net that describes the pictures of a data set.

    People's own pictures are described by the emoji's net when they have colours, by the
    digits' net when they are gray; pictures of two domains one by one, by the net of emoji in
    two styles. Raises `CheckpointError` when the shipped file is not there or of other data.
    """
    stacked = dataset.key == "stacked_mnist"
    colours = dataset.shape[0]
    name = "mnist" if stacked else OWN.get(dataset.key, "mnist" if colours == 1 else "emoji")
    name = STYLES if dataset.kind == "pairs" else name
    network, spec, accuracy = _shipped(name, str(device))
    names = dataset.class_names if stacked or dataset.key in OWN else None
    return FeatureNet(network, spec, names, accuracy, stacked)


def fitted(images: Tensor, shape: tuple[int, ...], stacked: bool = False) -> Tensor:
    """Return pictures as a network of `shape` takes them: its colours, its size."""
    colours, height, width = shape
    if stacked:
        images = images.reshape(-1, 1, *images.shape[2:])  # 3 B, 1, H, W
    if images.shape[1] != colours:
        images = images.mean(1, keepdim=True).expand(-1, colours, -1, -1)
    if images.shape[2:] != (height, width):
        images = F.interpolate(images, (height, width), mode="bilinear", antialias=True)
    return images


@lru_cache(maxsize=8)
def _shipped(name: str, device: str) -> tuple[ClassifierNetwork, DataSpec, float]:
    """Read a shipped classifier, once a process; nothing trains it, so that all may share it."""
    path = checkpoint.find(f"classifier/{name}")
    header, tensors = checkpoint.load(path)
    if header.model != "classifier":
        raise CheckpointError(f"{path.name} holds a {header.model}, not a classifier.")
    spec = DataSpec(tuple(header.shape), tuple(header.class_names))
    network = ClassifierNetwork(ClassifierConfig.from_values(header.config), spec)
    prefix = "networks.classifier."
    state = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    checkpoint.fit(state, network.state_dict(), path.name)
    network.load_state_dict(state)
    network.eval().requires_grad_(False)
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network, spec, float(header.metrics["test_accuracy"] or 0.0)
