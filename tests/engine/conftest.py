"""Small data sets and small runs, so that the whole loop takes tenths of a second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from small import Data, colour_pictures, few_digits

if TYPE_CHECKING:
    from engine.executors.process import ProcessExecutor


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """600 + 200 digits of MNIST, as saved pictures."""
    return few_digits(tmp_path_factory.mktemp("few"))


@pytest.fixture(scope="session")
def colour(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Colour pictures, 3 x 32 x 32."""
    return colour_pictures(tmp_path_factory.mktemp("colour"))


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessExecutor]:
    """Two warm workers, ended after the module's tests."""
    from engine.executors.process import ProcessExecutor

    executor = ProcessExecutor(2, device="cpu")
    executor.warm()
    assert executor.ready(90), "the exploring worker was not up after 90 s"
    yield executor
    executor.close()
