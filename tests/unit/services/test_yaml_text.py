"""YAML from outside: what is hostile is refused before it is made into values."""

import pytest

from glimpser.core.errors import InvalidInput
from glimpser.services.yaml_text import parse_yaml, write_yaml

BOMB = "a: &a [x, x]\n" + "\n".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]" for n in range(20)
)
HOSTILE = {
    "bomb": BOMB,
    "anchor": "a: &a 1",
    "deep": "[" * 5000,
    "deep mapping": "{a: " * 40 + "1" + "}" * 40,
    "python object": "a: !!python/object/apply:os.system [id]",
    "torn": "a: [1, 2",
    "impossible date": "a: 2024-99-99",
    "two documents": "a: 1\n---\nb: 2",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_or_torn_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        parse_yaml(HOSTILE[name].encode())


def test_too_much_of_it_is_refused() -> None:
    with pytest.raises(InvalidInput, match="larger"):
        parse_yaml(bytes((16 << 20) + 1))
    with pytest.raises(InvalidInput, match="UTF-8"):
        parse_yaml(b"\xff\xfe\x00")


@pytest.mark.parametrize(
    ("text", "value"),
    [("a: [1, {b: yes}]", {"a": [1, {"b": True}]}), ('{"a": "x: & *"}', {"a": "x: & *"}), ("", None)],
    ids=["yaml", "json", "nothing"],
)
def test_plain_values_are_read(text: str, value: object) -> None:
    assert parse_yaml(text.encode()) == value


def test_what_is_written_is_read_again() -> None:
    value = {"name": "2024-01-01", "on": ["yes", "0x10", "é\n", "", "*a"], "n": 1.5, "none": None}

    assert parse_yaml(write_yaml(value, heading="A heading: [\nof two lines").encode()) == value
