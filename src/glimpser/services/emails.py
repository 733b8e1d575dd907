"""Email addresses as names of accounts."""

import re

from glimpser.core.errors import InvalidInput

MAX_EMAIL_CHARS = 254
EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")


def normalised(email: str) -> str:
    return email.strip().lower()


def checked_email(email: str) -> str:
    """Give an email in the form it is stored in.

    Raises:
        InvalidInput: it is none. Only its shape is looked at: a local domain may have no dot.
    """
    address = normalised(email)
    if len(address) > MAX_EMAIL_CHARS or not EMAIL.fullmatch(address):
        raise InvalidInput.field("/email", "This is not an email address.")
    return address
