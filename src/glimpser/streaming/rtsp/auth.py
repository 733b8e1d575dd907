"""Who a viewer is: Digest (RFC 2617, and RFC 7616 with MD5) and Basic (RFC 7617), as RTSP uses them.

MD5 is what players and recorders speak; it keeps the password off the wire, no more. Where the network is
not trusted, RTSP belongs into a tunnel. No I/O; comparisons take the same time for known and unknown users.
"""

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from glimpser.streaming.rtsp.messages import Request, parse_url

_PARAMETER: Final = re.compile(r"""\s*([A-Za-z]{1,32})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)""")
_DIGEST_NEEDS: Final = frozenset({"username", "realm", "nonce", "uri", "response"})


@dataclass(frozen=True, slots=True)
class BasicAnswer:
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DigestAnswer:
    """What a client claims; `qop`, `cnonce` and `count` are empty for the form of RFC 2069."""

    user: str
    realm: str
    nonce: str
    uri: str
    response: str = field(repr=False)
    qop: str = ""
    cnonce: str = ""
    count: str = ""


def parse_authorization(value: str) -> BasicAnswer | DigestAnswer | None:
    """Read an Authorization header; None for whatever this server does not offer or cannot read."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() == "basic":
        return _parse_basic(rest.strip())
    if scheme.lower() == "digest":
        return _parse_digest(rest)
    return None


def _parse_basic(token: str) -> BasicAnswer | None:
    try:
        user, colon, password = base64.b64decode(token, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):  # not base64, not ASCII, not UTF-8
        return None
    return BasicAnswer(user, password) if colon else None


def _parse_digest(text: str) -> DigestAnswer | None:
    values: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PARAMETER.match(text, position)
        if match is None:
            return None
        name, quoted, plain = match.groups()
        if name.lower() in values:
            return None
        values[name.lower()] = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        position = match.end()
    if not values.keys() >= _DIGEST_NEEDS or values.get("algorithm", "MD5").upper() != "MD5":
        return None
    if values.get("qop", "auth") != "auth":
        return None
    return DigestAnswer(
        values["username"],
        values["realm"],
        values["nonce"],
        values["uri"],
        values["response"].lower(),
        qop=values.get("qop", ""),
        cnonce=values.get("cnonce", ""),
        count=values.get("nc", ""),
    )


class Authenticator:
    """Judges the requests of one connection: its nonce is never valid on another one."""

    def __init__(self, users: Mapping[str, str] | None, *, realm: str) -> None:
        """Take `users` as name to password; None lets everybody in, an empty table nobody."""
        self._users = users
        self._realm = realm
        self._nonce = secrets.token_hex(16)
        self._nobody = secrets.token_hex(16)

    def challenges(self) -> list[tuple[str, str]]:
        """Give the headers of a 401, the better scheme first."""
        return [
            ("WWW-Authenticate", f'Digest realm="{self._realm}", nonce="{self._nonce}", algorithm=MD5'),
            ("WWW-Authenticate", f'Basic realm="{self._realm}"'),
        ]

    def permits(self, request: Request) -> bool:
        """Say whether the request may go on; a request without credentials may not, if there are users."""
        if self._users is None:
            return True
        answer = parse_authorization(request.headers.get("authorization", ""))
        if answer is None:
            return False
        password = self._users.get(answer.user, self._nobody)
        if isinstance(answer, BasicAnswer):
            matches = _same(answer.password, password)
        else:
            matches = self._digest_matches(answer, request, password)
        return matches and answer.user in self._users

    def _digest_matches(self, answer: DigestAnswer, request: Request, password: str) -> bool:
        claimed, asked = parse_url(answer.uri), parse_url(request.target)
        # Players name the stream or its track as they like; another stream's answer does not count.
        fits = claimed is not None and asked is not None and claimed.path == asked.path
        response = digest_response(answer, method=request.method, password=password)
        return (
            _same(answer.response, response)
            and answer.nonce == self._nonce
            and answer.realm == self._realm
            and fits
        )


def digest_response(answer: DigestAnswer, *, method: str, password: str) -> str:
    """Compute the response an honest client sends (RFC 2617, 3.2.2.1)."""
    secret = _md5(f"{answer.user}:{answer.realm}:{password}")
    request = _md5(f"{method}:{answer.uri}")
    if answer.qop:
        return _md5(f"{secret}:{answer.nonce}:{answer.count}:{answer.cnonce}:{answer.qop}:{request}")
    return _md5(f"{secret}:{answer.nonce}:{request}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()  # the protocol's choice, not ours


def _same(left: str, right: str) -> bool:
    return secrets.compare_digest(left.encode(), right.encode())
