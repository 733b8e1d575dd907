"""The code that lets whoever reads the terminal make the first account."""

import hmac

from glimpser.services.key_text import random_text

LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


class SetupCode:
    """A secret of 80 bits that proves to the web page that its reader also reads the terminal."""

    def __init__(self) -> None:
        letters = random_text(16)
        self.text = "-".join(letters[start : start + 4] for start in range(0, 16, 4))

    def matches(self, attempt: str) -> bool:
        """Compare in constant time; case, dashes and letters that look alike do not matter."""
        return hmac.compare_digest(_plain(attempt), _plain(self.text))


def _plain(code: str) -> bytes:
    return code.upper().translate(LOOKALIKES).encode("utf-8", "replace")
