"""Text to token ids and back: by characters, or by byte pairs that often stand together.

Byte-pair encoding: Sennrich et al. 2016, on bytes as in GPT-2 (Radford et al. 2019), so that
no text is out of the vocabulary. Nothing here imports torch.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.errors import DataError, Rejected

if TYPE_CHECKING:
    import tokenizers

Kind = Literal["characters", "byte_pairs", "bytes"]
BYTES = 256
MAX_CHARACTERS = 8192  # distinct ones that get a token of their own, the most frequent first
LEARNT_FROM = 2_000_000  # characters that merges are learnt from; more changes few of them
CHUNK = 100_000
# As in GPT-2, with Python's classes: a word, a number or punctuation with the blank before it.
WORDS = re.compile(
    r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+", re.UNICODE
)


class Tokenizer:
    """What all kinds share; `size` is V, the number of tokens."""

    kind: Kind
    size: int
    merges: tuple[tuple[bytes, bytes], ...] = ()

    def encode(self, text: str) -> np.ndarray:
        """Return token ids, int32; characters that the vocabulary lacks are left out."""
        raise NotImplementedError

    def token_bytes(self, token: int) -> bytes:
        """Return what a token stands for, in UTF-8."""
        raise NotImplementedError

    def missing(self, text: str) -> list[str]:
        """Return the distinct characters of a text that the vocabulary lacks, in order."""
        return []

    def described(self) -> dict[str, Any]:
        """Return JSON from which `unpack` makes this tokenizer again."""
        raise NotImplementedError

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """Return the text of tokens; bytes that are no UTF-8 become U+FFFD."""
        return b"".join(map(self.token_bytes, map(int, ids))).decode("utf-8", "replace")

    def pieces(self, ids: Sequence[int] | np.ndarray) -> list[str]:
        """Return the text of each token; joined they are the whole.

        A character of several tokens stands at the last of them, the others are empty.
        """
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        found = [decoder.decode(self.token_bytes(int(token))) for token in ids]
        if found:
            found[-1] += decoder.decode(b"", final=True)
        return found

    def packed(self) -> np.ndarray:
        """Return the tokenizer as bytes, uint8, to travel in a checkpoint."""
        return np.frombuffer(json.dumps(self.described()).encode(), np.uint8).copy()


class Characters(Tokenizer):
    """One token a character: those of a text, in the order of their code points."""

    kind: Kind = "characters"

    def __init__(self, characters: str) -> None:
        if not characters:
            raise DataError("A vocabulary needs at least one character.")
        self.characters = characters
        self.size = len(characters)

    @cached_property
    def _table(self) -> np.ndarray:
        codes = np.frombuffer(self.characters.encode("utf-32-le"), np.uint32)
        table = np.full(int(codes.max()) + 2, -1, np.int32)  # the last stands for all beyond
        table[codes] = np.arange(len(codes), dtype=np.int32)
        return table

    def encode(self, text: str) -> np.ndarray:
        """Return token ids, int32; characters that the vocabulary lacks are left out."""
        codes = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
        ids = self._table[np.minimum(codes, len(self._table) - 1)]
        return ids[ids >= 0]

    def token_bytes(self, token: int) -> bytes:
        """Return what a token stands for, in UTF-8."""
        return self.characters[token].encode()

    def missing(self, text: str) -> list[str]:
        """Return the distinct characters of a text that the vocabulary lacks, in order."""
        known = set(self.characters)
        return [c for c in dict.fromkeys(text) if c not in known]

    def described(self) -> dict[str, Any]:
        """Return JSON from which `unpack` makes this tokenizer again."""
        return {"kind": self.kind, "characters": self.characters}


class BytePairs(Tokenizer):
    """All 256 bytes, and pairs of tokens merged in the order in which they were learnt."""

    kind: Kind = "byte_pairs"

    def __init__(
        self,
        vocabulary: dict[str, int],
        merges: Sequence[tuple[str, str]],
        gpt2_words: bool = False,
    ) -> None:
        self._vocabulary, self._merges = vocabulary, [(a, b) for a, b in merges]
        self.gpt2_words = gpt2_words
        self.size = max(vocabulary.values()) + 1
        self.merges = tuple((_from_shown(a), _from_shown(b)) for a, b in self._merges)
        self._bytes = [b""] * self.size
        for shown, token in vocabulary.items():
            self._bytes[token] = _from_shown(shown)

    @classmethod
    def from_files(cls, vocabulary: Path, merges: Path) -> BytePairs:
        """Read `vocab.json` and `merges.txt` as published with GPT-2; raises `DataError`."""
        try:
            known = json.loads(vocabulary.read_text(encoding="utf-8"))
            lines = merges.read_text(encoding="utf-8").splitlines()
            pairs = [line.split(" ") for line in lines if line and not line.startswith("#version")]
            return cls({str(k): int(v) for k, v in known.items()}, [(a, b) for a, b in pairs], True)
        except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
            raise DataError(
                f"{vocabulary.name} and {merges.name} are no vocabulary of byte pairs: {error}."
            ) from error

    @cached_property
    def _library(self) -> tokenizers.Tokenizer:
        from tokenizers import Tokenizer as Library
        from tokenizers import models, pre_tokenizers

        library = Library(models.BPE(self._vocabulary, self._merges))
        split = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=self.gpt2_words)
        library.pre_tokenizer = split
        return library

    def encode(self, text: str) -> np.ndarray:
        """Return token ids, int32; every text has some."""
        if self.gpt2_words or len(text) < 200:
            words = [text] if self.gpt2_words else WORDS.findall(text)
            parts = [e.ids for e in self._library.encode_batch(words)]
            return np.fromiter((i for part in parts for i in part), np.int32)
        return self._encode_long(text)

    def _encode_long(self, text: str) -> np.ndarray:
        """Encode each distinct word once: a text has many times fewer of them than words."""
        number: dict[str, int] = {}
        order = np.fromiter(
            (number.setdefault(word, len(number)) for word in WORDS.findall(text)), np.int64
        )
        parts = [e.ids for e in self._library.encode_batch(list(number))]
        lengths = np.fromiter(map(len, parts), np.int64, len(parts))
        flat = np.fromiter((i for part in parts for i in part), np.int32, int(lengths.sum()))
        starts = np.cumsum(lengths) - lengths
        counts = lengths[order]
        ends = np.cumsum(counts)
        inside = np.arange(int(counts.sum())) - np.repeat(ends - counts, counts)
        return flat[np.repeat(starts[order], counts) + inside]

    def token_bytes(self, token: int) -> bytes:
        """Return what a token stands for, in UTF-8."""
        return self._bytes[token]

    def described(self) -> dict[str, Any]:
        """Return JSON from which `unpack` makes this tokenizer again."""
        return {
            "kind": self.kind,
            "vocabulary": self._vocabulary,
            "merges": self._merges,
            "gpt2_words": self.gpt2_words,
        }


class Bytes(Tokenizer):
    """The bytes of a larger vocabulary whose other tokens nobody has told: shown as numbers."""

    kind: Kind = "bytes"

    def __init__(self, size: int) -> None:
        self.size = max(size, BYTES)
        self._of_byte = np.zeros(BYTES, np.int32)
        self._byte = bytes(_shown_order())
        for token, byte in enumerate(self._byte):
            self._of_byte[byte] = token

    def encode(self, text: str) -> np.ndarray:
        """Return the tokens of a text's bytes, in GPT-2's order of bytes."""
        return self._of_byte[np.frombuffer(text.encode("utf-8", "replace"), np.uint8)]

    def token_bytes(self, token: int) -> bytes:
        """Return the byte, or the token's number in angle brackets."""
        return self._byte[token : token + 1] if token < BYTES else f"⟨{token}⟩".encode()

    def described(self) -> dict[str, Any]:
        """Return JSON from which `unpack` makes this tokenizer again."""
        return {"kind": self.kind, "size": self.size}


def train(kind: str, size: int, text: str) -> Tokenizer:
    """Learn a vocabulary from a text: all its characters, or `size` tokens by byte pairs."""
    if kind == "characters":
        return Characters(_characters(text))
    if kind == "byte_pairs":
        return _learn_pairs(size, text[:LEARNT_FROM])
    raise Rejected(f"Tokenizer must be characters or byte_pairs; got {kind!r:.40}.", "tokenizer")


def unpack(array: np.ndarray) -> Tokenizer:
    """Make a tokenizer of what `packed` gave; raises `DataError` when it is damaged."""
    try:
        found = json.loads(bytes(np.ascontiguousarray(array, np.uint8)))
        match found["kind"]:
            case "characters":
                return Characters(str(found["characters"]))
            case "byte_pairs":
                words = bool(found.get("gpt2_words", False))
                return BytePairs(dict(found["vocabulary"]), found["merges"], words)
            case "bytes":
                return Bytes(int(found["size"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(f"The tokenizer in this checkpoint is damaged: {error}.") from error
    raise DataError(f"There is no tokenizer of kind {found['kind']!r:.40}.")


def _characters(text: str) -> str:
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
    distinct, counts = np.unique(codes, return_counts=True)
    if len(distinct) > MAX_CHARACTERS:
        distinct = np.sort(distinct[np.argsort(-counts, kind="stable")[:MAX_CHARACTERS]])
    return "".join(map(chr, distinct.tolist()))


def _learn_pairs(size: int, text: str) -> BytePairs:
    from tokenizers import Tokenizer as Library
    from tokenizers import models, pre_tokenizers, trainers

    library = Library(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    library.train_from_iterator(_words(text), trainer)
    learnt = json.loads(library.to_str())["model"]
    return BytePairs(learnt["vocab"], [tuple(pair) for pair in learnt["merges"]])


def _words(text: str) -> Iterator[list[str]]:
    """Yield words by the thousand: each is a text of its own, so that none grow together."""
    words = WORDS.findall(text)
    for start in range(0, len(words), CHUNK):
        yield words[start : start + CHUNK]


@lru_cache(maxsize=1)
def _shown_order() -> tuple[int, ...]:
    """Return the 256 bytes in GPT-2's order: those that can be printed come first."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return (*printed, *(b for b in range(BYTES) if b not in printed))


@lru_cache(maxsize=1)
def _byte_of() -> dict[str, int]:
    """Return the byte of each character that GPT-2's vocabulary writes bytes with."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(BYTES) if b not in printed]
    return {chr(b): b for b in printed} | {chr(BYTES + i): b for i, b in enumerate(others)}


def _from_shown(shown: str) -> bytes:
    table = _byte_of()
    return bytes(table.get(c, ord("?")) for c in shown)
