"""What all tests share."""

import signal
from collections.abc import Iterator

import pytest

from azgen.execution.execute import native_code
from azgen.execution.kernel import build_kernel

# A shell that starts pytest in the background has it ignore Ctrl-C, which some tests send.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept", action="store_true", help="take generated source as it is now into tests/golden"
    )


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written rather than compared."""
    return bool(request.config.getoption("--accept"))


@pytest.fixture(scope="module")
def optimized() -> Iterator[None]:
    """Whatever a module's tests compile is compiled as it is for users, who want speed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AZGEN_CFLAGS")
        for known in (build_kernel, native_code):
            known.cache_clear()
        yield
    for known in (build_kernel, native_code):
        known.cache_clear()
