"""Takes credentials out of text that people will read. Standard library only.

It errs on the side of hiding: a password may hold any character, also those RFC 3986 wants encoded.
Every repetition is bounded, which keeps the cost linear on hostile text.
"""

import re

from glimpser.config.secret import MASK

_USER_INFO = re.compile(
    r"(?P<before>://[^\s/?#:@\[\]]{0,256}:)"
    r"(?!\d{1,5}(?:[/?#\s]|$))"  # host and port, no password
    r"\S{0,512}@"
)
_TOKEN_AS_USER = re.compile(r"(?P<before>://)[^\s/?#:@]{1,512}@")
_PARAMETER = re.compile(
    r"(?P<before>(?:passw(?:or)?d|passphrase|pass|pwd|secret|token|key|signature|(?<![a-z])(?:auth|sig|pw))=)"
    r"[^\s&;#\"'<>]{1,2048}",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(
    r"(?P<before>\b(?:authorization|cookie)[\"']?\s{0,4}[:=]\s{0,4})[^\r\n]{1,4096}", re.IGNORECASE
)
_BEARER = re.compile(r"(?P<before>\bbearer\s{1,4})[\w.~+/=-]{16,4096}", re.IGNORECASE)


def redact_text(text: str) -> str:
    """Replace passwords in URLs, secret parameters and credentials of headers by `***`."""
    for pattern in (_USER_INFO, _TOKEN_AS_USER):
        text = pattern.sub(rf"\g<before>{MASK}@", text)
    for pattern in (_PARAMETER, _AUTHORIZATION, _BEARER):
        text = pattern.sub(rf"\g<before>{MASK}", text)
    return text
