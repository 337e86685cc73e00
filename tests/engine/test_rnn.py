import math
from typing import Any

import pytest
import torch
from small import CPU
from torch import Tensor

from engine.configs.language import RNNConfig
from engine.data.base import text_dataset
from engine.device import seed_step
from engine.models.rnn import CELLS, RNN, RNNLearner
from engine.tensors import DataView
from engine.trainer import build

VOCABULARY = 9
every_cell = pytest.mark.parametrize("cell", CELLS)


def made(cell: str, **values: Any) -> RNN:
    torch.manual_seed(0)
    given = {"cell": cell, "units": 12, "embedding": 8, "layers": 2, **values}
    return RNN(RNNConfig.from_values(given), VOCABULARY).eval()


def tokens(count: int) -> Tensor:
    return torch.randint(VOCABULARY, (2, count), generator=torch.Generator().manual_seed(1))


@every_cell
@torch.no_grad()
def test_step_by_step_gives_the_logits_of_the_full_forward(cell: str) -> None:
    network, x = made(cell), tokens(30)
    state = network.start(2)
    parts = [network.step(x[:, a:b], state) for a, b in ((0, 7), (7, 8), (8, 30))]
    assert torch.allclose(torch.cat(parts, 1), network(x), atol=1e-5)
    assert state.length == 30


@every_cell
@torch.no_grad()
def test_what_is_inside_is_what_the_head_reads(cell: str) -> None:
    network, x, inside = made(cell), tokens(10), dict[str, Any]()
    logits = network(x, inside)
    assert torch.allclose(logits, network(x), atol=1e-5)
    assert [a.shape for a in inside["activity"]] == [(2, 10, 12)] * 2
    assert torch.allclose(network.head(inside["activity"][-1]), logits, atol=1e-5)
    assert ("cells" in inside) == (cell == "lstm")


@torch.no_grad()
def test_the_vanilla_cell_is_its_formula() -> None:
    network, x = made("rnn", layers=1), tokens(5)
    r, memory = network.recurrent, torch.zeros(2, 12)
    for t in range(5):
        entered = network.embedding(x[:, t])
        inner = entered @ r.weight_ih_l0.T + r.bias_ih_l0 + memory @ r.weight_hh_l0.T + r.bias_hh_l0
        memory = torch.tanh(inner)
    assert torch.allclose(network(x)[:, -1], network.head(memory), atol=1e-5)


def test_an_lstm_remembers_at_first() -> None:
    bias = made("lstm").recurrent.bias_ih_l0
    assert (bias[12:24] == 1).all()
    assert (bias[:12] != 1).all()


@pytest.fixture(scope="module")
def lines() -> DataView:
    """Lines of exactly 6 letters by chance: what comes is known only by counting."""
    random = torch.Generator().manual_seed(3)
    letters = torch.randint(3, (2_000, 6), generator=random)
    text = "\n".join("".join("abc"[i] for i in row) for row in letters.tolist())
    return DataView(text_dataset("lines", "Lines", text), CPU)


@pytest.mark.parametrize("cell", CELLS)
def test_it_learns_to_count(cell: str, lines: DataView) -> None:
    possible = 6 / 7 * math.log(3)  # nats a character: the line's end costs nothing
    values = {"cell": cell, "units": 32, "context": 28, "batch_size": 16, "learning_rate": 0.01}
    learner = build("rnn", RNNConfig.from_values(values), lines, CPU, 0)
    assert isinstance(learner, RNNLearner)
    windows = learner.examples(lines)
    for step in range(250):
        seed_step(CPU, step)
        chosen = torch.randint(len(windows), (16,))
        learner.training_step(windows.batch(chosen), windows.labels[chosen], step)
    found = learner.evaluate_fully(lines, seed=0)
    assert found["validation/nats_per_character_carried"] == pytest.approx(possible, abs=0.04)
    assert found["validation/nats_per_character"] == pytest.approx(possible, abs=0.04)


@torch.no_grad()
def test_a_memory_that_is_carried_is_that_of_one_long_reading(lines: DataView) -> None:
    learner = build("rnn", RNNConfig(units=16), lines, CPU, 0)
    assert isinstance(learner, RNNLearner)
    ids = learner.tokens(lines)[1][:200]  # one stream
    logits = learner.network(ids[None, :-1])[0]
    expected = torch.nn.functional.cross_entropy(logits, ids[1:]).item()
    assert learner.carried_nats(ids) == pytest.approx(expected, rel=1e-5)
