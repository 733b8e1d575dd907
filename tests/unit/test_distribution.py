"""Tests that share something expensive stay together under `pytest -n`."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.distribution import BROWSERS, WITH_BROWSER, ByWhatIsShared, unit_of

ROOT = Path(__file__).parents[2]


class Worker:
    """Notes which of the tests it is given."""

    def __init__(self, name: str, tests: Sequence[str]) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.shutting_down = False
        self.given: list[str] = []
        self._tests = tests

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        self.given += [self._tests[index] for index in indices]

    def shutdown(self) -> None:
        self.shutting_down = True


def config() -> Any:
    return SimpleNamespace(
        getvalue={"tx": ["popen", "popen"]}.__getitem__, option=SimpleNamespace(loadscopereorder=False)
    )


def distributed(tests: Sequence[str]) -> list[list[str]]:
    """Give the tests of each of two workers; whoever has begun all of its own gets more."""
    scheduler = ByWhatIsShared(config(), None)
    workers = [Worker("one", tests), Worker("two", tests)]
    for worker in workers:
        scheduler.add_node(worker)
        scheduler.add_node_collection(worker, tests)
    scheduler.schedule()
    return [worker.given for worker in workers]


def test_tests_of_one_module_go_to_one_worker() -> None:
    of_a = [f"tests/unit/test_a.py::test[{number}]" for number in range(4)]
    of_b = [f"tests/unit/test_b.py::test_{number}" for number in range(4)]

    assert distributed([*of_a, *of_b]) == [of_a, of_b]


def test_all_that_start_a_browser_go_to_one_worker() -> None:
    browsers = ["tests/browser/test_a.py::test", "tests/browser/test_b.py::test", f"{WITH_BROWSER[1]}::test"]
    others = [f"tests/unit/test_a.py::test_{number}" for number in range(3)]

    assert distributed([*browsers, *others]) == [browsers, others]


def test_an_at_sign_in_a_parameter_parts_nothing() -> None:
    assert unit_of("tests/unit/test_a.py::test[a@b.c::d]") == "tests/unit/test_a.py"


@pytest.mark.parametrize("sign", ["require_browser", "browsing(", "chromium()"])
def test_every_module_that_starts_a_browser_is_known(sign: str) -> None:
    modules = [path for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]
    starting = [str(path.relative_to(ROOT)) for path in modules if sign in path.read_text()]

    assert [path for path in starting if unit_of(path) != BROWSERS] == []


def test_what_is_named_is_there() -> None:
    assert [path for path in WITH_BROWSER if not (ROOT / path).exists()] == []
