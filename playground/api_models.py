"""Named endpoints about what a model learnt: sample, decode, encode, translate, generate, explore.

As in `api_runs.py`, Gradio reads the types at run time: no postponed annotations here.
"""

import asyncio
import base64
import time
from typing import Any

import numpy as np
import orjson
from gradio.data_classes import FileData

from engine import checkpoint, registry
from engine.errors import Rejected
from engine.rng import MAX_SEED
from playground import api_arguments as read
from playground.api_files import picture_given, picture_made
from playground.service import Service
from playground.strings import t

MOST_SAMPLES = 1000
MOST_PROMPT = 20_000  # characters
MOST_TOKENS = 1000
MOST_CLASSES = 10_000
PART_MS = 150  # of writing, so that others' views get their turn between
LONGEST_WRITING_S = 60.0
# What each family calls its samples, and the arguments that the view takes.
SAMPLES = {
    "vae": ("sample", ("count", "seed")),
    "ae": ("sample", ("count", "seed")),
    "dcgan": ("samples", ("count", "seed", "label")),
    "gan2d": ("lab", ("count", "seed")),
    "cyclegan": ("pairs", ("count",)),
    "pix2pix": ("pairs", ("count",)),
}
DECODES = {"vae": "point", "ae": "point", "dcgan": "sample"}
ENCODES = {"vae": "encode", "ae": "encode"}


class ModelEndpoints:
    """Endpoints about models; each public method is one."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def sample(
        self, source: str, count: int = 16, seed: int = 0, label: int | None = None
    ) -> tuple[FileData | None, dict[str, Any]]:
        """Draw samples of a model: a picture with one tile each, and the numbers behind it.

        A GAN on points returns no picture but `points`. A translator shows held-out pictures
        with their translations, one a row. For text, see generate.

        Args:
            source: a checkpoint's name such as "vae/mnist-2d", or a run's id
            count: how many
            seed: equal seeds give equal samples
            label: the class, where the model is told one
        """
        found = read.source(source)
        given: dict[str, Any] = {
            "count": read.whole(count, "count", 1, MOST_SAMPLES),
            "seed": read.whole(seed, "seed", 0, MAX_SEED),
        }
        if label is not None:
            given["label"] = read.whole(label, "label", 0, MOST_CLASSES)
        view, names = await self._view(found, SAMPLES, "sample")
        if label is not None and "label" not in names:
            raise Rejected(t("ops.api_no_label"), field="label")
        payload = await self._draw(found, view, {n: given[n] for n in names if n in given})
        if payload["type"] == "arrays":
            points = unpacked(payload["arrays"]["generated"])
            return None, {**payload["values"], "points": points.tolist()}
        return self._shown(payload, "sheet", "samples")

    async def decode(
        self, source: str, z: list[float], label: int | None = None
    ) -> tuple[FileData, dict[str, Any]]:
        """Decode one point of a latent space, of an autoencoder or a DCGAN, into a picture.

        Args:
            source: a checkpoint's name such as "vae/mnist-2d", or a run's id
            z: the point, as many numbers as the latent space has dimensions
            label: the class, where a DCGAN is told one
        """
        found = read.source(source)
        args: dict[str, Any] = {"z": read.numbers(z, "z")}
        if label is not None:
            args["label"] = read.whole(label, "label", 0, MOST_CLASSES)
        view = await self._view(found, DECODES, "decode")
        if label is not None and view == "point":
            raise Rejected(t("ops.api_no_label"), field="label")
        return self._shown(await self._draw(found, view, args), "picture", "decoded")

    async def encode(
        self, source: str, picture: str | dict[str, Any], kind: str = "photo"
    ) -> tuple[FileData, dict[str, Any]]:
        """Encode a picture with an autoencoder: its reconstruction, and its code `z` beside.

        Args:
            source: a checkpoint's name such as "vae/mnist-2d", or a run's id
            picture: handle_file("digit.png") of gradio_client, or a data URL
            kind: photo, or drawing for a digit that fills its canvas
        """
        found = read.source(source)
        args = {
            "kind": read.choice(kind, "kind", ("photo", "drawing")),
            "picture": await asyncio.to_thread(picture_given, picture),
        }
        view = await self._view(found, ENCODES, "encode")
        return self._shown(await self._draw(found, view, args), "reconstruction", "reconstruction")

    async def translate(
        self,
        source: str,
        picture: str | dict[str, Any],
        direction: str = "a2b",
        fit: str = "letterbox",
    ) -> tuple[FileData, dict[str, Any]]:
        """Translate a picture into a CycleGAN's or pix2pix's other domain.

        Args:
            source: a checkpoint's name such as "cyclegan/emoji", or a run's id
            picture: handle_file("face.png") of gradio_client, or a data URL
            direction: a2b, or b2a for the way back
            fit: letterbox (the size of training), or tiles for the picture's own size
        """
        found = read.source(source)
        args = {
            "direction": read.choice(direction, "direction", ("a2b", "b2a")),
            "fit": read.choice(fit, "fit", ("letterbox", "tiles")),
            "picture": await asyncio.to_thread(picture_given, picture),
            "detail": False,
            "full": True,
        }
        known = {"cyclegan": "translate", "pix2pix": "translate"}
        view = await self._view(found, known, "translate")
        return self._shown(await self._draw(found, view, args), "output", "translated")

    async def generate(
        self,
        source: str,
        prompt: str = "",
        count: int = 200,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        repetition_penalty: float = 1.0,
        seed: int = 0,
    ) -> dict[str, Any]:
        """Let a language model write on; return `text`, what it wrote, without the prompt.

        Args:
            source: a checkpoint's name such as "gpt/shakespeare", or a run's id
            prompt: the text to go on from
            count: tokens to write, up to 1000
            temperature: 0 for the likeliest token each time, 1 for the model's own odds
            top_k: only the k likeliest tokens may come; 0 for all
            top_p: only the likeliest tokens that together have this probability; 1 for all
            repetition_penalty: above 1, tokens that came lately are less likely
            seed: equal seeds give equal texts
        """
        found = read.source(source)
        wanted = read.whole(count, "count", 1, MOST_TOKENS)
        knobs = {
            "temperature": read.number(temperature, "temperature", 0, 100),
            "top_k": read.whole(top_k, "top_k", 0, 100_000),
            "top_p": read.number(top_p, "top_p", 1e-6, 1),
            "repetition_penalty": read.number(repetition_penalty, "repetition_penalty", 1, 10),
            "seed": read.whole(seed, "seed", 0, MAX_SEED),
        }
        begun = read.text(prompt, "prompt", MOST_PROMPT)
        known = {e.key: "continue" for e in registry.MODELS.values() if e.kind == "text"}
        await self._view(found, known, "generate")
        return await self._write(found, begun, wanted, knobs)

    async def explore(
        self, source: str | dict[str, Any], view: str, args: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Draw any view of a model as the page does; an unknown name is answered with all names.

        Args:
            source: a checkpoint's name, a run's id, or {"checkpoint": name} or {"run": id}
            view: the view's name, such as "grid" or "map"
            args: its arguments by name
        """
        found, name = read.source(source), read.text(view, "view", 40)
        return await self._draw(found, name, read.mapping(args, "args"))

    # ------------------------------------------------------------------ inside

    async def _model(self, source: dict[str, Any]) -> str:
        """Return the key of the model that a source holds."""
        if "run" in source:
            return str(self._service.view(source["run"])["model"])
        path = await self._service.saved_checkpoint(source["checkpoint"])
        return (await asyncio.to_thread(checkpoint.read_header, path)).model

    async def _view(self, source: dict[str, Any], views: dict[str, Any], verb: str) -> Any:
        """Return what a table says for the model of a source, or raise `Rejected`."""
        model = await self._model(source)
        if model not in views:
            sentence = t("ops.api_cannot", model=model, verb=verb, known=", ".join(views))
            raise Rejected(sentence, field="source")
        return views[model]

    async def _draw(self, source: dict[str, Any], view: str, args: dict[str, Any]) -> Any:
        return orjson.loads(await self._service.explore(source, view, args))

    def _shown(
        self, payload: dict[str, Any], item: str, name: str
    ) -> tuple[FileData, dict[str, Any]]:
        picture = payload["items"][item]
        facts = {k: picture[k] for k in ("rows", "columns", "tile", "captions") if picture.get(k)}
        return picture_made(picture, name), {**payload["values"], **facts}

    async def _write(
        self, source: dict[str, Any], prompt: str, wanted: int, knobs: dict[str, Any]
    ) -> dict[str, Any]:
        """Write in short parts, until there are as many tokens as wanted."""
        began, pieces, notes = time.monotonic(), [], []
        given: dict[str, Any] = {"prompt": prompt}
        tokens: list[int] = []
        while len(pieces) < wanted and time.monotonic() - began < LONGEST_WRITING_S:
            args = {**given, **knobs, "count": wanted - len(pieces), "budget_ms": PART_MS}
            part = await self._draw(source, "continue", args)
            values, found = part["values"], unpacked(part["arrays"]["ids"]).tolist()
            if not pieces:
                tokens, notes = list(values["prompt_ids"]), values["notes"]
            tokens += found
            pieces += values["pieces"]
            given = {"tokens": tokens}
        return {
            "text": "".join(pieces),
            "prompt": prompt,
            "tokens": len(pieces),
            "done": len(pieces) >= wanted,
            "notes": notes,
        }


def unpacked(array: dict[str, Any]) -> np.ndarray:
    """Return the array that a payload carries as base64."""
    data = base64.b64decode(array["data"])
    return np.frombuffer(data, f"<{array['dtype']}").reshape(array["shape"])
