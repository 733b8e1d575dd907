from pathlib import Path

import pytest

from tests.unit.config.given import HIDDEN, read, refusal, write_toml


class TestToml:
    def test_a_file_that_is_no_toml_is_refused_with_the_line(self, data_dir: Path) -> None:
        path = write_toml(data_dir, "[server]\nport = 8080\nhost = 127.0.0.1\n")

        text = refusal(data_dir)

        assert f"{path}: this is not TOML" in text
        assert "line 3" in text

    def test_a_file_that_is_not_utf8_is_refused(self, data_dir: Path) -> None:
        (data_dir / "glimpser.toml").write_bytes(b'failpoint = "\xff"\n')

        assert "byte 13 is not UTF-8" in refusal(data_dir)

    def test_a_file_with_a_byte_order_mark_is_read(self, data_dir: Path) -> None:
        (data_dir / "glimpser.toml").write_bytes(b"\xef\xbb\xbf[server]\nport = 8181\n")

        assert read(data_dir).server.port == 8181

    def test_a_named_file_that_is_not_there_is_refused(self, data_dir: Path) -> None:
        text = refusal(data_dir, {"GLIMPSER_CONFIG": "/nowhere/glimpser.toml"})

        assert "/nowhere/glimpser.toml: it cannot be read (No such file or directory)" in text

    def test_a_directory_in_place_of_the_file_is_refused(self, data_dir: Path) -> None:
        (data_dir / "glimpser.toml").mkdir()

        assert "it cannot be read" in refusal(data_dir)

    def test_a_value_in_place_of_a_section_is_refused(self, data_dir: Path) -> None:
        path = write_toml(data_dir, "server = 8080\n")

        assert f"server in {path}: this is a section" in refusal(data_dir)

    def test_a_database_named_twice_in_one_file_is_refused(self, data_dir: Path) -> None:
        write_toml(data_dir, '[database]\nurl = "sqlite:////a.db"\npath = "b.db"\n')

        assert "says it too" in refusal(data_dir)

    def test_a_path_of_the_database_that_is_none_is_refused(self, data_dir: Path) -> None:
        path = write_toml(data_dir, "[database]\npath = 5\n")

        assert f"database.path in {path}: it wants a file" in refusal(data_dir)


class TestDotenv:
    @pytest.mark.parametrize(
        ("line", "value"),
        [
            ("GLIMPSER_FAILPOINT=a:kill", "a:kill"),
            ("export GLIMPSER_FAILPOINT = a:kill   # because", "a:kill"),
            ("GLIMPSER_FAILPOINT='a # \\n $HOME'  # because", "a # \\n $HOME"),
            ('GLIMPSER_FAILPOINT="a \\"b\\" \\\\ ${HOME}"', 'a "b" \\ ${HOME}'),
            ("GLIMPSER_FAILPOINT=a#b", "a#b"),
            ("GLIMPSER_FAILPOINT=\t", ""),
            ("# GLIMPSER_FAILPOINT=a", ""),
            ("OTHER=1", ""),
        ],
    )
    def test_a_line_is_read(self, data_dir: Path, elsewhere: Path, line: str, value: str) -> None:
        (elsewhere / ".env").write_text(f"\n{line}\n")

        assert read(data_dir).failpoint == value

    @pytest.mark.parametrize(
        "line", ["GLIMPSER_FAILPOINT", "=x", "1A=x", "A B=x", "A='open", 'A="x" y', "A-B=1"]
    )
    def test_a_bad_line_is_refused_by_number_and_not_repeated(
        self, data_dir: Path, elsewhere: Path, line: str
    ) -> None:
        (elsewhere / ".env").write_text(f"# first\n{line} {HIDDEN}\n")

        text = refusal(data_dir)

        assert ".env, line 2: this is not NAME=VALUE" in text
        assert HIDDEN not in text

    def test_a_bad_value_names_the_file(self, data_dir: Path, elsewhere: Path) -> None:
        (elsewhere / ".env").write_text("GLIMPSER_SERVER__PORT=x\n")

        assert "GLIMPSER_SERVER__PORT in .env: it wants a port" in refusal(data_dir)

    def test_it_may_name_the_data_directory(self, data_dir: Path, elsewhere: Path) -> None:
        other = elsewhere / "other"
        (elsewhere / ".env").write_text(f"GLIMPSER_DATA_DIR={other}\n")

        assert read(data_dir).data_dir == data_dir
        assert read(data_dir, {"GLIMPSER_DATA_DIR": ""}).data_dir == other
