"""Names of stored objects: which are safe, and where an artifact lies.

Artifacts lie at `artifacts/YYYY/MM/DD/<id>.<extension>`, so that one day is one prefix.
"""

import re
from datetime import date, datetime

from glimpser.core.errors import InvalidInput
from glimpser.core.ids import ArtifactId

ARTIFACTS = "artifacts/"
"""The prefix of every artifact's key."""

MAX_KEY_LENGTH = 512

_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")


def is_key(text: str) -> bool:
    """Tell whether `text` is a key: parts of letters, digits and `._-`, none empty or with a dot first."""
    return len(text) <= MAX_KEY_LENGTH and all(_PART.fullmatch(part) for part in text.split("/"))


def require_key(text: str) -> str:
    """Give `text` back if it is a key.

    Raises:
        InvalidInput: it could name something outside the store, or means different things in two stores.
    """
    if not is_key(text):
        raise InvalidInput("An object's key is made of letters, digits and the characters . _ - / alone.")
    return text


def artifact_key(artifact_id: ArtifactId, extension: str, made_at: datetime) -> str:
    """Give the key under which to store an artifact; `made_at` (UTC) is also its row's `created_at`."""
    return require_key(f"{day_prefix(made_at.date())}{artifact_id}.{extension}")


def day_prefix(day: date) -> str:
    """Give what the keys of one day's artifacts begin with."""
    return f"{ARTIFACTS}{day:%Y/%m/%d}/"
