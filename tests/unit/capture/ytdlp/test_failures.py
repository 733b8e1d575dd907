import pytest

from glimpser.capture.ytdlp.failures import failure_of
from glimpser.core.errors import InvalidInput
from glimpser.core.health import HealthState
from glimpser.core.sources import ViewFailed

BLOCKED = [
    ("[youtube] a: Unable to download API page: HTTP Error 429: Too Many Requests", "limits how often"),
    ("[youtube] a: Sign in to confirm you're not a bot. Use --cookies-from-browser or --cookies", "a robot"),
    ("[youtube] a: Private video. Sign in if you've been granted access to this video", "signed in"),
    ("[youtube] a: Sign in to confirm your age. This video may be inappropriate", "signed in"),
    ("[youtube] a: The uploader has not made this video available in your country", "other countries"),
    ("[bbc] a: This video is not available from your location due to geo restriction", "other countries"),
    ("[vimeo] 1: This video is only available for registered users. Use --cookies", "signed in"),
    ("[generic] a: Unable to download webpage: HTTP Error 401: Unauthorized", "signed in"),
    ("[generic] a: Unable to download webpage: HTTP Error 403: Forbidden", "refuses to show"),
]
DOWN = [
    ("[twitch:stream] cats: The channel is not currently live", "not live now"),
    ("[youtube] a: This live event will begin in 3 hours.", "not begun yet"),
    ("[youtube] a: Video unavailable. This video has been removed by the uploader", "no such video"),
    ("[generic] login: Unable to download webpage: HTTP Error 404: Not Found", "no such video"),
    ("[x] a: This video is DRM protected", "DRM"),
    ("[generic] a: Unable to download webpage: HTTP Error 502: Bad Gateway", "does not answer"),
    ("[x] a: Unable to extract title; please report this issue on https://…", "newer yt-dlp"),
    ("[x] a: Requested format is not available. Use --list-formats", "choose best"),
]


def view_failed(complaint: str) -> ViewFailed:
    failure = failure_of(f"WARNING: something else\nERROR: {complaint}\n")
    assert isinstance(failure, ViewFailed)
    return failure


@pytest.mark.parametrize(("complaint", "reason"), BLOCKED)
def test_a_wall_before_the_video_is_named(complaint: str, reason: str) -> None:
    failure = view_failed(complaint)

    assert reason in failure.detail
    assert failure.state is HealthState.BLOCKED
    assert failure.retry_after_s >= 300


@pytest.mark.parametrize(("complaint", "reason"), DOWN)
def test_what_is_wrong_with_the_video_is_named(complaint: str, reason: str) -> None:
    failure = view_failed(complaint)

    assert reason in failure.detail
    assert failure.state is HealthState.DOWN


@pytest.mark.parametrize(
    ("complaint", "pointer"),
    [
        ("Unsupported URL: https://example.org/login", "/config/url"),
        ("Invalid format specification: best[", "/config/format"),
    ],
)
def test_what_only_a_person_can_mend_names_its_field(complaint: str, pointer: str) -> None:
    failure = failure_of(f"ERROR: {complaint}")

    assert isinstance(failure, InvalidInput)
    assert [error.pointer for error in failure.errors] == [pointer]


def test_what_is_not_known_is_shown_as_it_is_and_not_endlessly() -> None:
    assert "It is odd today" in view_failed("[x] a: It is odd today").detail
    assert len(view_failed("[x] a: " + "odd " * 1000).detail) < 400
    assert "does not say" in failure_of("").detail
