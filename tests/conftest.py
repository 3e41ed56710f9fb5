"""
What every test gets.

In CI a component that is missing is a failure, so that a test that never ran
is not taken for one that passed. Hypothesis tries the same examples there
every time, and new ones on every run elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# No deadline: a busy machine is not a wrong answer.
settings.register_profile(
    "here", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100
)
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# A contract may ask what an implementation cannot do by its nature; that is not missing.
CONTRACTS = "windlass/testing/contracts/"
BY_NATURE = "Skipped: does not apply: "


def missing(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why something did not run that ought to in CI, or ""."""
    if not (os.environ.get("CI") and report.skipped and isinstance(report.longrepr, tuple)):
        return ""
    path, line, reason = report.longrepr
    return "" if CONTRACTS in path or reason.startswith(BY_NATURE) else f"{path}:{line}: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, a test that was skipped has failed."""
    report = yield
    if not hasattr(report, "wasxfail") and (why := missing(report)):
        report.outcome, report.longrepr = "failed", f"skipped in CI: {why}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI, a file of tests that was skipped as a whole has failed."""
    report = yield
    if why := missing(report):
        report.outcome, report.longrepr = "failed", f"skipped in CI: {why}"
    return report
