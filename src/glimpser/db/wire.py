"""JSON in columns: from values to text and back."""

import msgspec

_decode = msgspec.json.Decoder().decode
_decode_object = msgspec.json.Decoder(dict[str, object]).decode


def dump_json(value: object) -> str:
    """Write dataclasses as objects, tuples as arrays, and what is no number (NaN) as null."""
    return msgspec.json.encode(value).decode()


def load_json(text: str | bytes) -> object:
    return _decode(text)


def load_object(text: str | bytes) -> dict[str, object]:
    return _decode_object(text)
