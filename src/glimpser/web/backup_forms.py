"""What requests about backups may hold."""

from typing import Annotated

from pydantic import Field

from glimpser.services.backup_secrets import MAX_PASSPHRASE_CHARS, MIN_PASSPHRASE_CHARS
from glimpser.web.forms import Form

Passphrase = Annotated[str, Field(min_length=MIN_PASSPHRASE_CHARS, max_length=MAX_PASSPHRASE_CHARS)]


class BackupForm(Form):
    """What a backup is to hold."""

    with_artifacts: Annotated[bool, Field(description="Stored pictures and recordings, too.")] = False
    passphrase: Annotated[
        Passphrase | None,
        Field(repr=False, description="Seals the secrets of views and channels, which are else left out."),
    ] = None
