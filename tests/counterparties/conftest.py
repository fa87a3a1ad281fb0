"""What every file here uses: a folder a module, and whatever runs is stopped."""

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory, request):
    return tmp_path_factory.mktemp(request.module.__name__)


@pytest.fixture(scope="module")
def running():
    """Takes what runs, and stops it, the last first."""
    held = []

    def hold(one):
        held.append(one)
        return one

    yield hold
    for one in reversed(held):
        one.stop()
