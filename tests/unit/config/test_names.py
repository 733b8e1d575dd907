from pathlib import Path

import pytest

from tests.unit.config.given import HIDDEN, read, refusal, write_toml


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("GLIMPSER_SERVER_PORT", "GLIMPSER_SERVER__PORT"),
        ("GLIMPSER_SERVER__PROT", "GLIMPSER_SERVER__PORT"),
        ("GLIMPSER_server__port", "GLIMPSER_SERVER__PORT"),
        ("GLIMPSER_PORT", "GLIMPSER_SERVER__PORT or GLIMPSER_OBSERVABILITY__PORT"),
        ("GLIMPSER_JWT_SECRET", "GLIMPSER_SECURITY__JWT_SECRET"),
        ("GLIMPSER_DATADIR", "GLIMPSER_DATA_DIR"),
    ],
)
def test_a_mistyped_variable_is_refused_with_the_one_meant(data_dir: Path, variable: str, meant: str) -> None:
    text = refusal(data_dir, {variable: HIDDEN})

    assert f"{variable}: there is no such variable; did you mean {meant}?" in text
    assert HIDDEN not in text


def test_a_mistyped_key_is_refused_with_the_one_meant(data_dir: Path) -> None:
    path = write_toml(data_dir, f'[security]\njwt_secrt = "{HIDDEN}"\n[sever]\nport = 1\n')

    text = refusal(data_dir)

    assert (
        f"security.jwt_secrt in {path}: there is no such setting; did you mean security.jwt_secret?" in text
    )
    assert f"sever in {path}: there is no such setting" in text
    assert HIDDEN not in text


def test_a_name_like_no_other_is_refused_too(data_dir: Path) -> None:
    text = refusal(data_dir, {"GLIMPSER_XYZZY": "1"})

    assert "GLIMPSER_XYZZY: there is no such variable. The manual" in text


def test_control_characters_of_a_name_are_shown_harmless(data_dir: Path) -> None:
    write_toml(data_dir, '"a\\u001b[31m" = 1\n')

    assert "\x1b" not in refusal(data_dir)


def test_the_file_cannot_name_itself(data_dir: Path) -> None:
    path = write_toml(data_dir, 'config = "other.toml"\n')

    assert f"config in {path}: there is no such setting" in refusal(data_dir)


def test_other_programs_may_have_their_variables(data_dir: Path) -> None:
    read(data_dir, {"PORT": "x", "glimpser_server__port": "x", "GLIMPSERS": "x"})


def test_what_kubernetes_sets_for_a_service_of_this_name_is_left_alone(data_dir: Path) -> None:
    read(
        data_dir,
        {
            "GLIMPSER_SERVICE_HOST": "10.0.0.1",
            "GLIMPSER_SERVICE_PORT": "80",
            "GLIMPSER_SERVICE_PORT_HTTP": "80",
            "GLIMPSER_PORT": "tcp://10.0.0.1:80",
            "GLIMPSER_PORT_80_TCP": "tcp://10.0.0.1:80",
            "GLIMPSER_PORT_80_TCP_ADDR": "10.0.0.1",
            "GLIMPSER_WEB_SERVICE_HOST": "10.0.0.1",
        },
    )


def test_all_problems_are_told_at_once(data_dir: Path, elsewhere: Path) -> None:
    write_toml(data_dir, "[server]\nports = 1\nhost = 5\n")
    (elsewhere / ".env").write_text("GLIMPSER_DATABASE__POOL_SIZE=0\n")

    text = refusal(data_dir, {"GLIMPSER_SERVER__PORT": "x", "GLIMPSER_NONE": "x"})

    assert text.startswith("The configuration has 5 problems:\n")
    assert text.count("\n  - ") == 5
