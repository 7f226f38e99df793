"""What all tests share."""

import signal
from collections.abc import Iterator

import pytest

from azgen.execution.execute import native_code
from azgen.execution.kernel import build_kernel
from azgen.study import racing, starts

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


@pytest.fixture(scope="session", autouse=True)
def _little_tuning(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs on tables and images tune what they start from for a hundredth of the time, but in experiments."""
    with pytest.MonkeyPatch.context() as patch:
        if "not slow" in request.config.getoption("markexpr"):
            for name in ("BUDGET", "CROSS_BUDGET"):
                patch.setattr(starts, name, getattr(racing, name) / 100)
        yield


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
