import json

import numpy as np
import pytest

from engine import tokenizers
from engine.errors import DataError, Rejected
from engine.tokenizers import BytePairs, Bytes, Characters

TEXT = "To be, or not to be: that is the question.\n" * 30
KOREAN = "한국어로 씁니다. emoji: 🙂\n"
KINDS = ("characters", "byte_pairs")


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_comes_back_whole(kind: str) -> None:
    text = TEXT + KOREAN
    found = tokenizers.train(kind, 300, text)
    ids = found.encode(text)
    assert ids.dtype == np.int32
    assert ids.max() < found.size
    assert found.decode(ids) == text
    assert "".join(found.pieces(ids)) == text


def test_characters_stand_in_the_order_of_their_code_points() -> None:
    found = tokenizers.train("characters", 0, "cabbage")
    assert found.encode("abc").tolist() == [0, 1, 2]
    assert found.size == len(set("cabbage"))


def test_characters_that_the_vocabulary_lacks_are_left_out_and_named() -> None:
    found = Characters("abc")
    assert found.encode("axbé").tolist() == [0, 1]
    assert found.missing("axbéx") == ["x", "é"]


def test_byte_pairs_lack_nothing() -> None:
    found = tokenizers.train("byte_pairs", 300, TEXT)
    assert found.missing(KOREAN) == []
    assert found.decode(found.encode(KOREAN)) == KOREAN


def test_the_first_merge_is_the_most_frequent_pair() -> None:
    found = tokenizers.train("byte_pairs", 258, "xy xy xy xy ab")
    assert found.merges[0] == (b"x", b"y")
    assert found.size == 258
    assert len(found.encode("xy")) == 1


def test_a_word_is_encoded_alike_alone_and_in_a_long_text() -> None:
    found = tokenizers.train("byte_pairs", 400, TEXT)
    short = np.concatenate([found.encode(line) for line in TEXT.splitlines(keepends=True)])
    assert np.array_equal(found.encode(TEXT), short)


def test_a_character_of_several_tokens_stands_at_the_last_of_them() -> None:
    found = tokenizers.train("byte_pairs", 257, TEXT)
    assert found.pieces(found.encode("한")) == ["", "", "한"]
    assert found.pieces(found.encode("한")[:2])[-1] == "\ufffd"


@pytest.mark.parametrize("made", [Characters("ab한"), Bytes(50257), None])
def test_a_tokenizer_travels_as_bytes(made: tokenizers.Tokenizer | None) -> None:
    made = made or tokenizers.train("byte_pairs", 300, TEXT)
    again = tokenizers.unpack(made.packed())
    assert (again.kind, again.size) == (made.kind, made.size)
    assert again.encode("ab").tolist() == made.encode("ab").tolist()


def test_bytes_come_in_the_order_of_gpt2() -> None:
    found = Bytes(300)
    assert found.encode("!A").tolist() == [0, 32]  # ids of "!" and "A" in GPT-2's vocabulary
    assert found.encode(" ").tolist() == [220]
    assert found.decode([0, 299]) == "!⟨299⟩"


def test_published_files_are_read(tmp_path) -> None:
    vocabulary = {"a": 0, "b": 1, "Ġ": 2, "ab": 3, "Ġab": 4}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    (tmp_path / "merges.txt").write_text("#version: 0.2\na b\nĠ ab\n")
    found = BytePairs.from_files(tmp_path / "vocab.json", tmp_path / "merges.txt")
    assert found.encode("ab ab").tolist() == [3, 4]
    assert found.decode([3, 4]) == "ab ab"
    with pytest.raises(DataError, match="no vocabulary"):
        BytePairs.from_files(tmp_path / "merges.txt", tmp_path / "vocab.json")


@pytest.mark.parametrize(
    "damage", [b"", b"[]", b"{}", b'{"kind": "other"}', b'{"kind": "byte_pairs", "vocabulary": 3}']
)
def test_a_damaged_tokenizer_is_refused_in_a_sentence(damage: bytes) -> None:
    with pytest.raises(DataError, match=r"tokenizer .*\.$"):
        tokenizers.unpack(np.frombuffer(damage, np.uint8))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(Rejected, match="characters or byte_pairs"):
        tokenizers.train("words", 300, TEXT)


def test_pieces_of_what_is_no_text_are_what_decode_gives() -> None:
    found = tokenizers.train("byte_pairs", 257, TEXT)
    byte = {found.token_bytes(i): i for i in range(found.size)}
    ids = [byte[bytes([b])] for b in (0x08, 0xD8, 0xB8, 0xFF, 0xED)]
    assert "".join(found.pieces(ids)) == found.decode(ids)
