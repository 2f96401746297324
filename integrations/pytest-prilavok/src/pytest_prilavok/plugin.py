"""The fixtures."""

import pytest

from .sandbox import Sandbox, SandboxError


def pytest_addoption(parser):
    parser.addini("prilavok_options", "options for `prilavok sandbox`", type="args", default=[])


@pytest.fixture(scope="session")
def prilavok(pytestconfig):
    """A sandbox, started once a session."""
    failure = None
    try:
        sandbox = Sandbox.start(pytestconfig.getini("prilavok_options"))
    except SandboxError as error:
        failure = str(error)
    if failure:
        # Out here, so that pytest does not show where the sandbox was started from.
        pytest.fail(failure, pytrace=False)
    with sandbox:
        yield sandbox


@pytest.fixture
def prilavok_business(prilavok, request):
    """A business that no other test sees, called like the test."""
    business = prilavok.business(name=request.node.name[:100])
    yield business
    business.clear_faults()
