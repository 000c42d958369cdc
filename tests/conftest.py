"""For every test: nothing of the developer's AWS account, and no waiting for instance metadata."""

import os

# Read when `pawcast.observability` is first imported, which may be while tests are collected.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Pawcast")

import pytest
from hypothesis import HealthCheck, settings

# The machine may be busy: a slow example is no failure, and the same examples come on every run of CI.
settings.register_profile("pawcast", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("pawcast"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "pawcast")


@pytest.fixture(autouse=True, scope="session")
def no_account() -> None:
    """Whatever account is configured here, no test can reach it."""
    for variable in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"]:
        del os.environ[variable]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
