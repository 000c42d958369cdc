"""One stack for all end-to-end tests of a run: deploying takes some 20 seconds."""

from collections.abc import Iterator

import pytest

from tests.support.browser import chromium, new_page, problems
from tests.support.stack import RunningStack, running_stack

__all__ = ["chromium", "new_page", "problems", "stack"]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
