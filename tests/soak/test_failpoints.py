import pytest

from tests.soak.failpoints import ALERT_PATH, ELSEWHERE, failpoints, family, on_the_alert_path


def test_every_failpoint_is_known_to_be_on_the_alert_path_or_elsewhere() -> None:
    strangers = {name for name in failpoints() if family(name) not in ALERT_PATH | ELSEWHERE}

    assert not strangers, "add what stands before the dot to ALERT_PATH or ELSEWHERE"


@pytest.mark.parametrize("path", sorted(ALERT_PATH))
def test_each_stage_of_the_alert_path_has_failpoints(path: str) -> None:
    assert any(family(name) == path for name in on_the_alert_path())


def test_no_failpoint_of_elsewhere_is_waited_for_while_alerting() -> None:
    assert not ELSEWHERE & {family(name) for name in on_the_alert_path()}
