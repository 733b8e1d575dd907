"""Links that open without signing in, each one path until a time: for pictures in messages. No I/O.

A ticket is `<expiry>.<mac>`: the time it ends in seconds since 1970, and an HMAC-SHA-256 (RFC 2104) of that
and the path, in unpadded base64url. Its key is derived from the signing secret with a label of its own, in
the manner of HKDF's expansion (RFC 5869, section 2.3), so that a ticket is never a session, nor a session a
ticket.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256

from glimpser.core.clock import Clock

LIFETIME_S = 7 * 86_400
_LABEL = b"glimpser ticket v1\x01"
_FORM = re.compile(r"([1-9][0-9]{0,11})\.([A-Za-z0-9_-]{43})")


class Tickets:
    """Issues and checks tickets."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._key = hmac.digest(secret.encode("utf-8", "surrogateescape"), _LABEL, sha256)
        self._clock = clock

    def issue(self, path: str, ttl_s: int = LIFETIME_S) -> str:
        """Make a ticket for one path, without its query, for so many seconds."""
        return self.sign(path, int(self._clock.now().timestamp()) + ttl_s)

    def sign(self, path: str, expires_s: int) -> str:
        """Make the ticket for one path that ends at a moment, in seconds since 1970."""
        expiry = str(expires_s)
        return f"{expiry}.{self._mac(expiry, path)}"

    def check(self, path: str, ticket: str) -> bool:
        """Tell whether a ticket opens this path now; takes the same time whatever is wrong with its MAC."""
        form = _FORM.fullmatch(ticket)
        if form is None:
            return False
        is_genuine = hmac.compare_digest(self._mac(form[1], path), form[2])
        return is_genuine and self._clock.now().timestamp() < int(form[1])

    def _mac(self, expiry: str, path: str) -> str:
        message = f"{expiry}\n{path}".encode("utf-8", "surrogateescape")
        return urlsafe_b64encode(hmac.digest(self._key, message, sha256)).decode().rstrip("=")
