import structlog
from structlog.testing import capture_logs

from glimpser.egress.refusals import LINES_PER_PERIOD, PERIOD_S, Refusal, RefusalLog
from glimpser.testing.clock import FakeClock

REFUSAL = Refusal("inner.example", 80, "10.0.0.1 is closed.")


def test_a_flood_of_refusals_leaves_few_lines_and_their_number() -> None:
    structlog.reset_defaults()
    clock = FakeClock()
    log = RefusalLog("general", clock)

    with capture_logs() as lines:
        for _ in range(100):
            log.tell(REFUSAL)
        clock.advance(PERIOD_S)
        log.tell(REFUSAL)

    assert len(lines) == LINES_PER_PERIOD + 1
    assert lines[0] == {
        "event": "egress.refused",
        "log_level": "warning",
        "proxy": "general",
        "host": "inner.example",
        "port": 80,
        "reason": "10.0.0.1 is closed.",
        "left_out": 0,
    }
    assert lines[-1]["left_out"] == 100 - LINES_PER_PERIOD
