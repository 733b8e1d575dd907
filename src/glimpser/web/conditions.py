"""Conditional and range requests (RFC 9110, sections 13 and 14): header text in, decisions out."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from glimpser.core.errors import InvalidInput, Precondition

ENTITY_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
ENTITY_TAGS = re.compile(rf"\s*{ENTITY_TAG.pattern}\s*(?:,\s*{ENTITY_TAG.pattern}\s*)*")
ONE_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.IGNORECASE)


def strong_tag(text: object) -> str:
    """Make a strong entity tag."""
    return f'"{text}"'


def version_match(if_match: str | None) -> Callable[[int], bool]:
    """Read `If-Match` as the versions a write may replace; `*` means whichever there is.

    Weak tags never match, nor do tags that are no version.

    Raises:
        Precondition: there is none.
        InvalidInput: it is no list of entity tags.
    """
    if if_match is None:
        raise Precondition("Say which version you change: send If-Match with the ETag you read.")
    if if_match.strip() == "*":
        return lambda _version: True
    if not ENTITY_TAGS.fullmatch(if_match):
        raise InvalidInput.field("/If-Match", 'If-Match holds quoted entity tags, such as "3".')
    tags = {tag for weak, tag in ENTITY_TAG.findall(if_match) if not weak}
    return lambda version: str(version) in tags


def none_match(if_none_match: str | None, etag: str) -> bool:
    """Tell whether `If-None-Match` names this tag, by weak comparison: then the answer is 304."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    opaque = etag.removeprefix("W/").strip('"')
    return opaque in {tag for _, tag in ENTITY_TAG.findall(if_none_match)}


@dataclass(frozen=True, slots=True)
class ByteRange:
    """`start` inclusive, `end` exclusive."""

    start: int
    end: int


class Unsatisfiable(Exception):
    """The range begins behind the end of the content: 416."""


def requested_range(header: str | None, size_bytes: int) -> ByteRange | None:
    """Read `Range`; None is the whole content, also for what is not one single range of bytes.

    Raises:
        Unsatisfiable: no byte lies in it.
    """
    match = ONE_RANGE.fullmatch(header.strip()) if header else None
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        found = ByteRange(max(0, size_bytes - int(suffix)), size_bytes)
    elif last and int(last) < int(first):
        return None
    else:
        found = ByteRange(int(first), min(int(last) + 1 if last else size_bytes, size_bytes))
    if found.start >= found.end:
        raise Unsatisfiable
    return found
