"""TST-13 over whole runs of pytest: with a credential in what it has left, the run fails.

With workers it is the process that leads them which searches: their folders are beneath its own.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.canaries.sweep import Sweep

_SWEEP = pytest.StashKey[Sweep]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[_SWEEP] = Sweep()
        config.pluginmanager.register(_Ears(config.stash[_SWEEP]))


class _Ears:
    """Hears what tests printed and logged, also where they passed."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # The last report of a test holds what the earlier ones did.
        for name, text in report.sections if report.when == "teardown" else ():
            self._sweep.text(text, f"{report.nodeid}: {name}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    sweep = session.config.stash.get(_SWEEP, None)
    if sweep is None:
        return
    # Tests are handed it as a fixture; a process that leads workers runs no test, and has none.
    factory: Any = session.config._tmp_path_factory  # type: ignore[attr-defined]
    sweep.temporary(factory.getbasetemp())
    sweep.checkout(session.config.rootpath)
    if sweep.findings:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    sweep = config.stash.get(_SWEEP, None)
    for line in sweep.told() if sweep is not None else ():
        terminalreporter.write_line(line, red=line.startswith("FAILED"))
