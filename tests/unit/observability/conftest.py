import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from glimpser.observability.logs import configure_logging
from tests.unit.observability.given import Configure, Output, Settings


@pytest.fixture
def configure() -> Iterator[Configure]:
    """Configure the logs and afterwards leave logging as it was."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)

    def configured(**settings: Any) -> Output:
        output = Output()
        configure_logging(Settings(**settings), output.stream)
        return output

    yield configured
    configure_logging(Settings())
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
