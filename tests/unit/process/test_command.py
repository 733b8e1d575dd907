import pytest

from glimpser.core.errors import InvalidInput
from glimpser.process.command import MAX_OPERAND, Command, Operand


@pytest.mark.parametrize(
    "value",
    ["-i", "--exec=id", "-", "", "a\0b", "x" * (MAX_OPERAND + 1)],
    ids=["option", "long option", "hyphen", "empty", "nul", "long"],
)
def test_a_value_that_could_be_read_as_more_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput):
        Operand(value)


@pytest.mark.parametrize(
    "value",
    ["https://example.org/-x?a=-b", "$(id)", "; rm -rf /", "a b", "`id`|x>y&", "x" * MAX_OPERAND],
    ids=["url", "substitution", "semicolon", "space", "metacharacters", "long"],
)
def test_what_only_a_shell_would_obey_is_a_value_like_any_other(value: str) -> None:
    command = Command(name="echo", argv=("/bin/echo", "--", Operand(value)))

    assert command.words == ("/bin/echo", "--", value)


@pytest.mark.parametrize("argv", [(), ("ls",), ("./ls",)], ids=["none", "name", "relative"])
def test_a_program_is_named_by_its_whole_path(argv: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="whole path"):
        Command(name="ls", argv=argv)


def test_neither_arguments_nor_environment_are_shown() -> None:
    command = Command(name="x", argv=("/bin/x", Operand("hush1")), environment={"KEY": "hush2"})

    assert "hush" not in repr(command)
