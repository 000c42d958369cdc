"""Templates for tests of the house: the real ones, parsed once. Nothing here talks to AWS, real or mocked."""

import pytest

from tests.support.template import OBSERVABILITY, TEMPLATE, Template, load


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    """SAM's translator asks for the region."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")


@pytest.fixture(scope="session")
def template() -> Template:
    return load(TEMPLATE)


@pytest.fixture(scope="session")
def observability() -> Template:
    return load(OBSERVABILITY)
