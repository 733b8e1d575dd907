"""What happens is told to whoever listens, and to nobody else."""

from contextlib import ExitStack
from dataclasses import replace

from glimpser.core.ids import TemplateId, new_id
from glimpser.core.live import State, StateChanged, StreamMeasured, StreamStatus
from glimpser.services.notices import Notice, Notices, StreamNotice
from glimpser.services.streams import Streams
from glimpser.streaming.hub import Hub
from glimpser.testing.clock import FakeClock
from tests.web_world import SilentMetrics

DOOR = TemplateId(new_id())


class Figures:
    def source_measured(self, measured: StreamMeasured) -> None: ...
    def forget(self, template_id: TemplateId) -> None: ...


def a_notice() -> StreamNotice:
    return StreamNotice(DOOR, StreamStatus(state=State.LIVE, since=FakeClock().now()))


def test_everyone_who_listens_hears_it_once() -> None:
    notices, first, second = Notices(), list[Notice](), list[Notice]()

    with notices.listen(first.append), notices.listen(second.append):
        notices.publish(a_notice())

    assert first == second == [a_notice()]


def test_whoever_has_stopped_listening_hears_nothing() -> None:
    notices, heard = Notices(), list[Notice]()
    with notices.listen(heard.append):
        pass

    notices.publish(a_notice())

    assert not heard
    assert notices.listener_count == 0


def test_one_may_listen_twice() -> None:
    notices, heard = Notices(), list[Notice]()
    with notices.listen(heard.append):
        with notices.listen(heard.append):
            notices.publish(a_notice())
        notices.publish(a_notice())

    assert len(heard) == 3


def test_a_listener_may_leave_while_it_is_told() -> None:
    notices, heard = Notices(), list[Notice]()
    leaving = ExitStack()
    leaving.enter_context(notices.listen(lambda _: leaving.close()))

    with notices.listen(heard.append):
        notices.publish(a_notice())
        notices.publish(a_notice())

    assert len(heard) == 2
    assert notices.listener_count == 0


def test_a_stream_that_changes_its_state_is_told_with_its_figures() -> None:
    clock, notices, heard = FakeClock(), Notices(), list[Notice]()
    hub = Hub(clock=clock, metrics=SilentMetrics())
    streams = Streams(hub=hub, clock=clock, metrics=Figures(), publish=notices.publish)
    live = StreamStatus(state=State.LIVE, since=clock.now(), fps=25, width=640, height=360)
    degraded = replace(live, state=State.DEGRADED)

    with notices.listen(heard.append):
        streams.state_changed(StateChanged(DOOR, live))
        streams.measured(
            StreamMeasured(template_id=DOOR, fps=12.5, last_packet_age_s=0, dropped_frames=0, restarts=0)
        )
        streams.state_changed(StateChanged(DOOR, degraded))

    assert heard == [StreamNotice(DOOR, live), StreamNotice(DOOR, replace(degraded, fps=12.5))]
