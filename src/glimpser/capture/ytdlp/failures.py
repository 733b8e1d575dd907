"""What yt-dlp's complaints mean for a view. Its words change: what is not known is shown as it is."""

import re
from collections.abc import Sequence

from glimpser.core.errors import GlimpserError, InvalidInput
from glimpser.core.health import HealthState
from glimpser.core.sources import ViewFailed

_HOUR_S = 3600
_SOON_S = 30
_LATER_S = 300
_MAX_SHOWN = 300

_BLOCKED: Sequence[tuple[str, str, int]] = (
    (
        r"HTTP Error 429|too many requests|rate.?limit",
        "The site limits how often it is asked: it will be asked again much later.",
        _HOUR_S,
    ),
    (
        r"not a bot|captcha|cloudflare|anti-bot|unusual traffic|verify (that )?you are human",
        "The site takes Glimpser for a robot and shows nothing.",
        _HOUR_S,
    ),
    (
        (
            r"not (made )?(this video )?available (in|from) your (country|location|region)|geo.?restrict"
            r"|blocked it in your country|geo restriction"
        ),
        "The site shows this video in other countries only.",
        _HOUR_S,
    ),
    (
        (
            r"sign in|log ?in|logged.in|cookies|account credentials|members.only|subscriber"
            r"|private video|this video is private|HTTP Error 401|requires? (a )?payment|purchase|premium"
        ),
        "The site shows this video only to people who have signed in, which Glimpser does not do.",
        _HOUR_S,
    ),
)
_DOWN: Sequence[tuple[str, str, int]] = (
    (
        r"is not currently live|is offline|has ended|not live now|livestream is offline|channel is not live",
        "It is not live now: it will be looked for again.",
        _LATER_S,
    ),
    (
        r"will begin in|premieres? in|this live event will|upcoming|not (yet )?started",
        "This has not begun yet: it will be looked for again.",
        _LATER_S,
    ),
    (
        r"video (is )?unavailable|has been removed|no longer available|does not exist|HTTP Error 4(04|10)",
        "The site has no such video: check the address.",
        _HOUR_S,
    ),
    (r"drm", "This video is protected (DRM) and cannot be shown.", _HOUR_S),
    (
        (
            r"timed? ?out|connection (refused|reset|aborted)|unable to connect|name or service"
            r"|temporary failure|HTTP Error 5\d\d|remote end closed|tunnel connection failed: (502|503|504)"
        ),
        "The site does not answer now.",
        _SOON_S,
    ),
    (
        (
            r"unable to extract|please report this issue|confirm you are on the latest version"
            r"|nsig extraction failed|signature extraction failed|update yt-dlp"
        ),
        "This site has changed and needs a newer yt-dlp: update Glimpser.",
        _HOUR_S,
    ),
)
_PREFIX = re.compile(r"^ERROR: (\[[^\]]*\] )?(?![A-Z])([^\s:]{1,256}: )?")
"""Names extractor and video, whose id is the site's and may read like anything."""
_REFUSED = r"(tunnel connection failed|HTTP Error|proxy error)\W+403"
_UNSUPPORTED = r"unsupported url|is not a valid url|no video formats found|no suitable extractor"
_BAD_FORMAT = r"requested format is not available"
_BAD_EXPRESSION = r"invalid format specification"


def failure_of(complaints: str) -> GlimpserError:
    """Say what it means that yt-dlp gave up, by the last error it wrote."""
    lines = complaints.split("\n")
    line = next((line for line in reversed(lines) if "error:" in line.lower()), complaints.strip())
    said = _PREFIX.sub("", line)
    return _wrong_config(said) or _known(said) or _unknown(said)


def _wrong_config(said: str) -> GlimpserError | None:
    if _says(said, _UNSUPPORTED):
        return InvalidInput.field(
            "/config/url", "Under this address yt-dlp finds no video: give that of one."
        )
    if _says(said, _BAD_FORMAT):
        return ViewFailed("This video does not come in the chosen format: choose best.", _LATER_S)
    if _says(said, _BAD_EXPRESSION):
        return InvalidInput.field("/config/format", "This is no choice of format yt-dlp knows: take best.")
    return None


def _known(said: str) -> ViewFailed | None:
    for table, state in ((_BLOCKED, HealthState.BLOCKED), (_DOWN, HealthState.DOWN)):
        for pattern, sentence, retry_after_s in table:
            if _says(said, pattern):
                return ViewFailed(sentence, retry_after_s, state=state)
    if _says(said, _REFUSED):
        reason = "The site refuses to show this to Glimpser, or is not one Glimpser may reach."
        return ViewFailed(reason, _LATER_S, state=HealthState.BLOCKED)
    return None


def _unknown(said: str) -> ViewFailed:
    text = said.strip()[:_MAX_SHOWN]
    return ViewFailed(f"yt-dlp cannot look it up: {text or 'it does not say why'}.", _LATER_S)


def _says(said: str, pattern: str) -> bool:
    return re.search(pattern, said, re.IGNORECASE) is not None
