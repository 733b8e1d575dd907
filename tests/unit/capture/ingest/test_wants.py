import pytest

from glimpser.capture.ingest.wants import EVERY_FRAME, Wants


def test_the_highest_rate_of_each_width_is_made() -> None:
    wants = Wants()
    for width, fps in ((320, 2.0), (320, 5.0), (320, 1.0), (0, 10.0)):
        wants.add("A", width, fps)

    assert wants.widths("A") == {320: 5.0, 0: 10.0}


def test_whoever_wants_every_frame_gets_every_frame() -> None:
    wants = Wants()
    wants.add("A", 320, 30.0)
    wants.add("A", 320, EVERY_FRAME)

    assert wants.widths("A") == {320: EVERY_FRAME}
    wants.remove("A", 320, EVERY_FRAME)
    assert wants.widths("A") == {320: 30.0}


def test_a_width_is_made_until_the_last_who_wants_it_is_gone() -> None:
    wants = Wants()
    wants.add("A", 320, 5.0)
    wants.add("A", 320, 5.0)

    wants.remove("A", 320, 5.0)
    assert wants.widths("A") == {320: 5.0}
    wants.remove("A", 320, 5.0)
    assert wants.widths("A") == {}


def test_views_have_nothing_to_do_with_each_other() -> None:
    wants = Wants()
    wants.add("A", 320, 5.0)

    assert wants.widths("B") == {}
    with pytest.raises(KeyError):
        wants.remove("B", 320, 5.0)
