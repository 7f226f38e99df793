"""What is said of generated code and of compiling holds for what users get."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _as_for_users(optimized: None) -> Iterator[None]:
    yield
