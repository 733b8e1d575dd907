import pytest

from glimpser.core.ids import TemplateId
from glimpser.core.live import LiveSpec, MediaInput, State
from glimpser.core.motion import MotionSettings


@pytest.mark.parametrize("state", State)
def test_pictures_come_only_from_streams_that_run(state: State) -> None:
    assert state.gives_pictures == (state in {State.LIVE, State.DEGRADED})


def test_states_are_named_as_the_api_names_them() -> None:
    names = "idle connecting live degraded stalled backoff failed stopping"

    assert [str(state) for state in State] == names.split()


def test_the_words_for_a_source_leave_its_credentials_out() -> None:
    media = MediaInput(address="rtsp://user:" + "hidden@10.0.0.2/stream")
    spec = LiveSpec(template_id=TemplateId("t"), feed=media, motion=MotionSettings())

    assert "hidden" not in repr(media)
    assert "hidden" not in repr(spec)


def test_what_a_worker_must_know_is_equal_when_it_says_the_same() -> None:
    def make(fps: float | None) -> LiveSpec[MediaInput]:
        media = MediaInput(address="/media/a.mp4", is_file=True, fps=fps)
        return LiveSpec(template_id=TemplateId("t"), feed=media, motion=MotionSettings())

    assert make(5.0) == make(5.0)
    assert make(5.0) != make(10.0)
