"""What a page's answer says about the view: an error, or a wall between us and what is behind it.

Rather no verdict than a wrong one: a page that is read every day has password fields and banners too.
"""

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from glimpser.core.browsing import PageFacts, PageSpec
from glimpser.core.health import WELL, HealthState, Verdict
from glimpser.core.redaction import redact

CONSENT = "consent"
BOT = "bot"
CAPTCHA = "captcha"

MARKUP = {
    CONSENT: (
        *(
            "#onetrust-consent-sdk",
            "#usercentrics-root",
            "#CybotCookiebotDialog",
            "#CybotCookiebotDialogBodyUnderlay",
        ),
        *("#didomi-host", "[id^=sp_message_container]", ".qc-cmp2-container", ".fc-consent-root"),
        *(".truste_overlay", ".truste_box_overlay", "#BorlabsCookieBox", "#iubenda-cs-banner", ".cmpbox"),
        *(
            "#cmpwrapper",
            "form[action*='consent.google']",
            "form[action*='consent.youtube']",
            "form.consent-form",
        ),
    ),
    BOT: (
        *("#challenge-form", "#challenge-running", "#px-captcha", "iframe[src*='captcha-delivery.com']"),
        *("form[action*='validateCaptcha']", "#captcha-form", "#sec-if-cpt-container"),
    ),
    CAPTCHA: (
        *(".g-recaptcha", ".h-captcha", ".cf-turnstile", "iframe[src*='hcaptcha.com']"),
        *("iframe[src*='recaptcha']", "iframe[src*='challenges.cloudflare.com']"),
    ),
}
"""CSS selectors of what the makers of walls put into pages. Consent walls count where they cover the page."""

SELECTORS = json.dumps(
    {"covering": MARKUP[CONSENT], "standing": {name: MARKUP[name] for name in (BOT, CAPTCHA)}}
)
"""For the script that looks for them."""
_COVERING = 0.4
"""Share of the window that a consent banner covers at least to be a wall."""
_SIGN_IN = re.compile(r"log[-_]?[io]n|sign[-_]?in|auth|sso|session|account", re.IGNORECASE)
_LITTLE_TEXT = 800
"""Characters that a page has at most which is nothing but a form."""
_HARDLY_ANY_TEXT = 300
_BOT_TEXT = 1500
_ROBOTS = "A check for robots stands before the page."
_REFUSALS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "The site asks for a user name and a password (401).",
    HTTPStatus.FORBIDDEN: "The site refuses this visitor (403 Forbidden).",
    HTTPStatus.TOO_MANY_REQUESTS: "The site was asked too often (429): make the interval longer.",
}
_PROXY_REASON = re.compile(r"[^\n]{1,300}\n?")


def facts_of(
    seen: Mapping[str, Any], *, loaded: bool, cut: bool, console_errors: Sequence[str] = ()
) -> PageFacts:
    """Make sense of what the script saw, which `SELECTORS` was given to."""
    covered = (CONSENT,) if seen["covered"] >= _COVERING else ()
    return PageFacts(
        url=seen["url"],
        title=seen["title"],
        status=seen["status"] or None,
        content_type=seen["contentType"].lower(),
        loaded=loaded,
        password_fields=seen["passwordFields"],
        walls=(*covered, *seen["standing"]),
        console_errors=tuple(console_errors),
        cut=cut,
    )


def verdict_on(page: PageSpec, facts: PageFacts, text: str) -> Verdict:
    """Judge what came of `page`."""
    return (
        _told_by_our_proxy(facts, text)
        or _told_by_status(page, facts)
        or _bot_wall(facts, text)
        or _consent_wall(facts)
        or _sign_in(page, facts, text)
        or WELL
    )


def _told_by_our_proxy(facts: PageFacts, text: str) -> Verdict | None:
    """Over http the egress proxy answers in the site's place, with one line of plain text."""
    if facts.content_type != "text/plain" or not _PROXY_REASON.fullmatch(text):
        return None
    unreachable = facts.status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)
    closed = facts.status == HTTPStatus.FORBIDDEN and ("capture." in text or "never connected" in text)
    return Verdict(HealthState.DOWN, redact(text.strip())) if unreachable or closed else None


def _told_by_status(page: PageSpec, facts: PageFacts) -> Verdict | None:
    if facts.url.startswith("chrome-error:"):
        return Verdict(HealthState.ERROR_PAGE, "The page led to an address that gives no page.")
    if facts.status is None or facts.status < 400:
        return None
    if facts.status == HTTPStatus.SERVICE_UNAVAILABLE and BOT in facts.walls:
        return _blocked(_ROBOTS)
    known = _REFUSALS.get(facts.status)
    if known is None:
        return Verdict(HealthState.ERROR_PAGE, f"The site answers {facts.status}{_phrase(facts.status)}.")
    refused = facts.status == HTTPStatus.UNAUTHORIZED and page.visitor.login
    return _blocked("The site refuses this user name and password (401)." if refused else known)


def _bot_wall(facts: PageFacts, text: str) -> Verdict | None:
    sure = BOT in facts.walls and len(text) < _BOT_TEXT
    likely = CAPTCHA in facts.walls and len(text) < _HARDLY_ANY_TEXT and not facts.password_fields
    return _blocked(_ROBOTS) if sure or likely else None


def _consent_wall(facts: PageFacts) -> Verdict | None:
    if CONSENT not in facts.walls:
        return None
    return _blocked("A request for consent covers the page: name it in `remove`, or bring a cookie along.")


def _sign_in(page: PageSpec, facts: PageFacts, text: str) -> Verdict | None:
    wanted, shown = urlsplit(page.url), urlsplit(facts.url)
    if not facts.password_fields or _SIGN_IN.search(wanted.path):
        return None  # there is none, or it is the page that was asked for
    moved = (wanted.netloc, wanted.path) != (shown.netloc, shown.path)
    if len(text) < _LITTLE_TEXT or (moved and _SIGN_IN.search(f"{shown.netloc}{shown.path}")):
        return _blocked("A sign-in stands before the page: give a user name and password, or a cookie.")
    return None


def _blocked(reason: str) -> Verdict:
    return Verdict(HealthState.BLOCKED, reason)


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""
