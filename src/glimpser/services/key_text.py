"""The text of API keys, and what is kept of it. No I/O.

A key is `glk_`, its id, `_` and 40 random characters of Crockford's base 32: 200 bits. Kept is its SHA-256.
A slow hash with a salt, as passwords need, would gain nothing: nobody guesses 200 random bits however fast
each guess is, and no two keys are alike; but it would cost each request 20 ms and 19 MiB.
"""

import re
import secrets
from hashlib import sha256

from glimpser.core.ids import ApiKeyId, is_id

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that is taken for another, five bits each."""
SECRET_CHARS = 40
_FORM = re.compile(rf"glk_([0-9A-Z]{{26}})_[{ALPHABET}]{{{SECRET_CHARS}}}")


def make_key_text(key_id: ApiKeyId) -> str:
    return f"glk_{key_id}_{random_text(SECRET_CHARS)}"


def random_text(length: int) -> str:
    """Give so many random characters of the alphabet."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def digest_of(text: str) -> str:
    """Give what is kept of a key."""
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def key_id_of(text: str) -> ApiKeyId | None:
    """Give the id that stands in a key; None if it has not the form of one."""
    form = _FORM.fullmatch(text)
    return ApiKeyId(form[1]) if form and is_id(form[1]) else None
