from pathlib import Path

import pytest

from glimpser.core.clock import SystemClock
from glimpser.observability.metrics import Metrics
from glimpser.process.runner import Runner


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    path = tmp_path / "scratch"
    path.mkdir()
    return path


@pytest.fixture
def runner(scratch: Path, metrics: Metrics) -> Runner:
    return Runner(scratch, clock=SystemClock(), recorder=metrics)
