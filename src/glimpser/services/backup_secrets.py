"""Secrets in a backup: encrypted under a passphrase, so that who finds the file has none of them.

The key is made of the passphrase by scrypt (RFC 7914), the text sealed by AES-256-GCM (NIST SP 800-38D).
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from glimpser.core.errors import InvalidInput

MIN_PASSPHRASE_CHARS = 12
MAX_PASSPHRASE_CHARS = 1024
_MAGIC = b"GLIMPSER-SECRETS-1\n"
_SALT_BYTES, _NONCE_BYTES = 16, 12
_N, _R, _P = 1 << 16, 8, 1
"""64 MiB of memory for each guess."""


def check_passphrase(passphrase: str, *, pointer: str = "") -> None:
    """Raises: InvalidInput: it is too short, or so long that it was no passphrase."""
    if not MIN_PASSPHRASE_CHARS <= len(passphrase) <= MAX_PASSPHRASE_CHARS:
        raise InvalidInput.field(
            pointer,
            f"A passphrase has {MIN_PASSPHRASE_CHARS} to {MAX_PASSPHRASE_CHARS} characters.",
        )


def seal(text: bytes, passphrase: str) -> bytes:
    """Takes a fraction of a second and 64 MiB. Blocks. Raises: InvalidInput: as `check_passphrase`."""
    check_passphrase(passphrase)
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    return _MAGIC + salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, text, _MAGIC)


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """Blocks as `seal`. Raises: InvalidInput: this passphrase does not open it, or it was changed."""
    if not sealed.startswith(_MAGIC):
        raise InvalidInput("The backup's secrets have no form this version knows.")
    rest = sealed[len(_MAGIC) :]
    salt, nonce = rest[:_SALT_BYTES], rest[_SALT_BYTES : _SALT_BYTES + _NONCE_BYTES]
    try:
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, rest[_SALT_BYTES + _NONCE_BYTES :], _MAGIC)
    except (InvalidTag, ValueError) as error:
        raise InvalidInput(
            "The passphrase does not open the backup's secrets, or they are changed."
        ) from error


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_N, r=_R, p=_P).derive(passphrase.encode())
