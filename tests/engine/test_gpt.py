import math

import pytest
import torch
from small import CPU
from torch import Tensor

from engine.configs.language import GPTConfig
from engine.data.base import text_dataset
from engine.device import seed_step
from engine.errors import Rejected
from engine.language import Windows
from engine.models.gpt import GPT, GPTLearner, rotate, rotations
from engine.tensors import DataView
from engine.trainer import build

VOCABULARY = 11
POSITIONS = ("learnt", "rotary", "none")
SMALL = {"layers": 2, "heads": 2, "width": 16, "context": 12}


def made(**values: object) -> GPT:
    torch.manual_seed(0)
    network = GPT(GPTConfig.from_values({**SMALL, **values}), VOCABULARY).eval()
    for parameter in network.parameters():  # away from the tiny first weights
        parameter.data += 0.3 * torch.randn_like(parameter)
    return network


def tokens(count: int, seed: int = 1) -> Tensor:
    return torch.randint(VOCABULARY, (2, count), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("positions", POSITIONS)
@torch.no_grad()
def test_step_by_step_gives_the_logits_of_the_full_forward(positions: str) -> None:
    network, x = made(positions=positions), tokens(12)
    state = network.start(2)
    parts = [network.step(x[:, a:b], state) for a, b in ((0, 5), (5, 6), (6, 9), (9, 12))]
    assert torch.allclose(torch.cat(parts, 1), network(x), atol=1e-4)


@pytest.mark.parametrize("positions", POSITIONS)
@torch.no_grad()
def test_beyond_the_edge_it_sees_the_last_tokens_only(positions: str) -> None:
    network, x = made(positions=positions), tokens(30)
    state = network.start(2)
    network.step(x[:, :10], state)
    for end in range(11, 31):
        found = network.step(x[:, end - 1 : end], state)[:, -1]
        whole = network(x[:, max(0, end - 12) : end])[:, -1]
        assert torch.allclose(found, whole, atol=1e-4)
    assert state.length == 30


@torch.no_grad()
def test_greedy_tokens_are_the_same_across_the_edge() -> None:
    network, x = made(), tokens(4)[:1]
    state = network.start(1)
    logits, cached = network.step(x, state)[:, -1], x
    full = x
    for _ in range(40):
        cached = torch.cat([cached, logits.argmax(-1, keepdim=True)], 1)
        logits = network.step(cached[:, -1:], state)[:, -1]
        following = network(full[:, -12:])[:, -1].argmax(-1, keepdim=True)
        full = torch.cat([full, following], 1)
    assert torch.equal(cached, full)


@torch.no_grad()
def test_no_token_sees_what_comes_after_it() -> None:
    network, x = made(), tokens(12)
    changed = x.clone()
    changed[:, 7] = (x[:, 7] + 1) % VOCABULARY
    same = (network(x) - network(changed)).abs().amax((0, 2)) < 1e-6
    assert same.tolist() == [True] * 7 + [False] * 5


@torch.no_grad()
def test_without_the_mask_it_does() -> None:
    network, x = made(causal=False), tokens(12)
    changed = x.clone()
    changed[:, 7] = (x[:, 7] + 1) % VOCABULARY
    assert ((network(x) - network(changed)).abs().amax((0, 2)) > 1e-6).all()
    state = network.start(2)
    assert torch.allclose(network.step(x, state), network(x), atol=1e-5)


@torch.no_grad()
def test_without_positions_the_order_of_the_earlier_tokens_is_lost() -> None:
    x = tokens(6)
    mixed = torch.cat([x[:, [2, 0, 1, 4, 3]], x[:, 5:]], 1)
    # one layer: deeper ones tell order by how many tokens each of the earlier ones saw
    one = made(positions="none", layers=1)
    assert torch.allclose(one(x)[:, -1], one(mixed)[:, -1], atol=1e-5)
    other = made(positions="learnt", layers=1)
    assert not torch.allclose(other(x)[:, -1], other(mixed)[:, -1], atol=1e-2)


@torch.no_grad()
def test_what_is_inside_is_told_on_request_and_changes_nothing() -> None:
    network, x, inside = made(), tokens(9), {}
    logits = network(x, inside)
    assert torch.allclose(logits, network(x), atol=1e-4)
    assert [a.shape for a in inside["attention"]] == [(2, 2, 9, 9)] * 2
    assert [h.shape for h in inside["hidden"]] == [(2, 9, 16)] * 3
    assert [m.shape for m in inside["mlp"]] == [(2, 9, 64)] * 2
    assert torch.allclose(inside["attention"][0].sum(-1), torch.ones(2, 2, 9))
    assert torch.allclose(network.lens(inside["hidden"][-1]), logits, atol=1e-4)


def test_rotations_keep_lengths_and_tell_distances_only() -> None:
    turn = rotations(0, 9, 8, CPU)
    x = torch.randn(1, 1, 1, 8).expand(1, 1, 9, 8)
    turned = rotate(x, turn)
    assert torch.allclose(turned.norm(dim=-1), x.norm(dim=-1), atol=1e-5)
    products = (turned @ turned.transpose(-2, -1))[0, 0]
    assert torch.allclose(products[2, 5], products[0, 3], atol=1e-4)
    assert torch.allclose(rotations(3, 2, 8, CPU), turn[:, 3:5])


@torch.no_grad()
def test_first_weights_are_those_of_gpt2() -> None:
    torch.manual_seed(0)
    network = GPT(GPTConfig(layers=8, width=128), 65)
    assert network.blocks[0].widen.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert network.blocks[0].narrow.weight.std().item() == pytest.approx(0.02 / 4, rel=0.05)
    start = torch.nn.functional.cross_entropy(network(tokens(64))[0, :-1], tokens(64)[0, 1:])
    assert start.item() == pytest.approx(math.log(65), abs=0.15)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"width": 128, "heads": 3}, "Width must be a multiple of heads; got 128 and 3."),
        ({"width": 24, "heads": 8, "positions": "rotary"}, "even; got 3."),
    ],
)
def test_heads_that_do_not_fit_are_refused(values: dict, sentence: str) -> None:
    view = DataView(text_dataset("t", "t", "abc" * 100), CPU)
    with pytest.raises(Rejected, match=sentence.replace(".", r"\.")):
        build("gpt", GPTConfig.from_values({"width": 16, **values}), view, CPU, 0)


def test_it_runs_on_the_meta_device() -> None:
    with torch.device("meta"):
        network = GPT(GPTConfig.from_values(SMALL), VOCABULARY)
        assert network(torch.zeros(2, 12, dtype=torch.int64)).shape == (2, 12, VOCABULARY)


def test_windows_hold_a_text_once_an_epoch_wherever_they_begin() -> None:
    ids = torch.arange(1001)
    windows = Windows(ids, 10)
    assert len(windows) == 100
    torch.manual_seed(0)
    rows = windows.batch(torch.arange(100))
    assert rows.shape == (100, 11)
    assert (rows.diff(dim=1) == 1).all()
    begins = rows[:, 0] - torch.arange(100) * 10
    assert begins.min() >= -9
    assert begins.max() <= 9
    assert len(begins.unique()) > 5


def test_a_text_shorter_than_the_context_is_one_window() -> None:
    windows = Windows(torch.arange(6), 64)
    assert (len(windows), windows.batch(torch.tensor([0])).tolist()) == (1, [[0, 1, 2, 3, 4, 5]])


@pytest.fixture(scope="module")
def chain() -> DataView:
    """A text whose next letter depends on the last one only: 3 of 4 times it is the same."""
    random = torch.Generator().manual_seed(3)
    stays = torch.rand(60_000, generator=random) < 0.75
    jump = torch.randint(1, 4, (60_000,), generator=random)
    at = (torch.where(stays, 0, jump)).cumsum(0) % 4
    return DataView(text_dataset("chain", "Chain", "".join("abcd"[i] for i in at.tolist())), CPU)


def learnt(view: DataView, steps: int, **values: object) -> GPTLearner:
    config = GPTConfig.from_values({**SMALL, "batch_size": 32, **values})
    learner = build("gpt", config, view, CPU, 0)
    windows = learner.examples(view)
    for step in range(steps):
        seed_step(CPU, step)
        chosen = torch.randint(len(windows), (32,))
        learner.training_step(windows.batch(chosen), windows.labels[chosen], step)
    assert isinstance(learner, GPTLearner)
    return learner


def test_a_bigram_net_reaches_the_closed_form(chain: DataView) -> None:
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25 / 3))  # of the next letter, in nats
    bigram = {"layers": 0, "positions": "none", "tied": False, "weight_decay": 0.0}
    learner = learnt(chain, 300, learning_rate=0.03, decay_steps=300, **bigram)
    nats = learner.evaluate(chain, seed=0, limit=None)["nats_per_character"]
    assert nats == pytest.approx(entropy, abs=0.02)


def test_without_the_mask_the_loss_falls_below_what_is_possible(chain: DataView) -> None:
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25 / 3))
    learner = learnt(chain, 300, learning_rate=0.01, causal=False)
    nats = learner.evaluate(chain, seed=0, limit=None)["nats_per_character"]
    assert nats < entropy / 2
    [found] = learner.alerts({"nats_per_character": nats})
    assert found.name == "leak"
    assert found.remedy == {"causal": True}


def test_every_token_but_the_first_is_judged_once(chain: DataView) -> None:
    learner = learnt(chain, 0)
    ids = learner.tokens(chain)[1][:500]
    with learner.evaluating():
        by_hand = [
            learner.token_nats(ids[None, start : start + 13])[0] for start in range(0, 499, 12)
        ]
        expected = float(torch.cat(by_hand).mean())
        assert sum(map(len, by_hand)) == 499
        assert learner.nats(ids) == pytest.approx(expected, rel=1e-6)
        assert learner.nats(ids, limit=100) != pytest.approx(expected, rel=1e-6)
