import re
import stat
from concurrent.futures import ThreadPoolExecutor
from fcntl import LOCK_EX, flock
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from glimpser.config import Secret, load
from glimpser.core.errors import Misconfigured
from tests.unit.config.given import read, refusal, write_toml


class TestPrecedence:
    def test_nothing_given_gives_the_defaults(self, data_dir: Path) -> None:
        config = read(data_dir)

        assert config.server.host == "127.0.0.1"
        assert config.server.port == 8080
        assert config.observability.port == 9000
        assert config.database.url == f"sqlite:///{data_dir}/glimpser.db"
        assert config.storage.object_store_url == f"file://{data_dir}/objects"
        assert config.capture.file_roots == (data_dir / "media",)
        assert ip_network("192.168.0.0/16") in config.capture.camera_cidrs
        assert ip_network("fc00::/7") in config.capture.camera_cidrs

    def test_each_source_is_stronger_than_the_one_before(self, data_dir: Path, elsewhere: Path) -> None:
        write_toml(
            data_dir,
            "[server]\nport = 1\nmax_streams = 1\nmax_streams_per_client = 1\nmax_body_bytes = 2000\n",
        )
        (elsewhere / ".env").write_text(
            "GLIMPSER_SERVER__PORT=2\n"
            "GLIMPSER_SERVER__MAX_STREAMS=2\n"
            "GLIMPSER_SERVER__MAX_STREAMS_PER_CLIENT=2\n"
        )
        environ = {"GLIMPSER_SERVER__PORT": "3", "GLIMPSER_SERVER__MAX_STREAMS": "3"}

        config = read(data_dir, environ, **{"server.port": 4})

        assert config.server.port == 4
        assert config.server.max_streams == 3
        assert config.server.max_streams_per_client == 2
        assert config.server.max_body_bytes == 2000
        assert config.server.host == "127.0.0.1"

    def test_an_override_of_none_is_not_given(self, data_dir: Path) -> None:
        assert read(data_dir, **{"server.port": None}).server.port == 8080

    def test_overrides_may_be_nested(self, data_dir: Path) -> None:
        assert read(data_dir, server={"port": 0}).server.port == 0

    def test_an_empty_variable_is_not_given(self, data_dir: Path) -> None:
        config = read(data_dir, {"GLIMPSER_SERVER__PORT": "", "GLIMPSER_ADMIN_EMAIL": ""})

        assert config.server.port == 8080
        assert config.admin_email is None

    def test_the_environment_of_the_process_is_read_when_none_is_given(
        self, data_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GLIMPSER_SERVER__PORT", "8123")

        assert load({"data_dir": data_dir}).server.port == 8123

    def test_the_file_may_be_named_and_name_the_data_directory(self, tmp_path: Path) -> None:
        file = tmp_path / "elsewhere.toml"
        file.write_text(f'data_dir = "{tmp_path / "data"}"\n[server]\nport = 8181\n')

        config = load({}, {"GLIMPSER_CONFIG": str(file), "HOME": str(tmp_path / "home")})

        assert config.server.port == 8181
        assert config.data_dir == tmp_path / "data"
        assert config.database.url == f"sqlite:///{tmp_path}/data/glimpser.db"
        assert not (tmp_path / "home").exists()

    def test_a_stronger_path_of_the_database_replaces_a_weaker_url(self, data_dir: Path) -> None:
        write_toml(data_dir, '[database]\nurl = "sqlite:////one.db"\n')

        config = read(data_dir, {"GLIMPSER_DATABASE__PATH": "/two.db"})

        assert config.database.url == "sqlite:////two.db"

    def test_a_stronger_url_of_the_database_replaces_a_weaker_path(self, data_dir: Path) -> None:
        write_toml(data_dir, '[database]\npath = "one.db"\n')

        alone = read(data_dir)
        below = read(data_dir, {"GLIMPSER_DATABASE__URL": "sqlite:////two.db"})

        assert alone.database.url == f"sqlite:///{data_dir}/one.db"
        assert below.database.url == "sqlite:////two.db"


class TestDataDirectory:
    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            ({"XDG_DATA_HOME": "{tmp}/xdg", "HOME": "{tmp}/home"}, "xdg/glimpser"),
            ({"HOME": "{tmp}/home"}, "home/.local/share/glimpser"),
            ({"XDG_DATA_HOME": "relative", "HOME": "{tmp}/home"}, "home/.local/share/glimpser"),
            ({"XDG_DATA_HOME": "{tmp}/xdg", "GLIMPSER_DATA_DIR": "{tmp}/given"}, "given"),
        ],
        ids=["XDG", "home", "a relative XDG directory is ignored", "ours before XDG"],
    )
    def test_it_is_found(self, tmp_path: Path, environ: dict[str, str], expected: str) -> None:
        config = load({}, {name: text.format(tmp=tmp_path) for name, text in environ.items()})

        assert config.data_dir == tmp_path / expected

    def test_it_is_made_for_its_owner_alone(self, tmp_path: Path) -> None:
        config = read(tmp_path / "new")

        assert stat.S_IMODE(config.data_dir.stat().st_mode) == 0o700

    def test_a_relative_one_starts_where_the_program_was_started(self, elsewhere: Path) -> None:
        assert load({"data_dir": "here"}, {}).data_dir == elsewhere / "here"

    def test_one_that_cannot_be_made_stops_the_start_with_a_remedy(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()

        with pytest.raises(Misconfigured, match="--data-dir"):
            read(tmp_path / "file" / "data")

    def test_the_file_in_it_cannot_move_it(self, data_dir: Path) -> None:
        write_toml(data_dir, 'data_dir = "/elsewhere"\n')

        assert "GLIMPSER_CONFIG" in refusal(data_dir)

    @pytest.mark.parametrize("value", ["\0", "~nobody-of-this-name/x", 5])
    def test_one_that_is_no_directory_is_refused(self, tmp_path: Path, value: Any) -> None:
        with pytest.raises(Misconfigured, match="data_dir on the command line: it wants a directory"):
            load({"data_dir": value}, {"HOME": str(tmp_path)})

    def test_nothing_is_made_for_a_configuration_that_is_wrong(self, tmp_path: Path) -> None:
        refusal(tmp_path / "new", {"GLIMPSER_SERVER__PORT": "x"})

        assert not (tmp_path / "new").exists()


class TestKeyOfSessions:
    def test_it_is_made_once_and_kept(self, data_dir: Path) -> None:
        first = read(data_dir).security.jwt_secret

        second = read(data_dir).security.jwt_secret

        assert first == second
        assert len(first.get_secret_value().encode()) >= 32
        assert stat.S_IMODE((data_dir / "jwt_secret").stat().st_mode) == 0o600

    def test_every_data_directory_has_another(self, tmp_path: Path) -> None:
        assert read(tmp_path / "a").security.jwt_secret != read(tmp_path / "b").security.jwt_secret

    def test_all_who_start_at_one_time_get_the_same(self, data_dir: Path) -> None:
        with ThreadPoolExecutor(16) as pool:
            made = list(pool.map(lambda _: read(data_dir).security.jwt_secret.get_secret_value(), range(64)))

        assert len(set(made)) == 1

    def test_who_finds_it_half_made_waits_for_the_one_who_makes_it(self, data_dir: Path) -> None:
        with ThreadPoolExecutor(1) as pool:
            with (data_dir / "jwt_secret").open("w") as file:
                flock(file, LOCK_EX)
                second = pool.submit(read, data_dir)
                with pytest.raises(TimeoutError):
                    second.result(timeout=0.2)
                file.write("f" * 40)

            assert second.result(timeout=30).security.jwt_secret == Secret("f" * 40)

    def test_one_left_empty_by_a_crash_is_filled(self, data_dir: Path) -> None:
        (data_dir / "jwt_secret").touch()

        assert len(read(data_dir).security.jwt_secret.get_secret_value()) >= 32

    def test_one_that_others_could_read_is_closed(self, data_dir: Path) -> None:
        path = data_dir / "jwt_secret"
        path.write_text("k" * 32 + "\n")
        path.chmod(0o644)

        assert read(data_dir).security.jwt_secret == Secret("k" * 32)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_short_one_is_refused_without_being_shown(self, data_dir: Path) -> None:
        (data_dir / "jwt_secret").write_text("kurz-und-geheim")

        with pytest.raises(Misconfigured, match="Remove the file") as refused:
            read(data_dir)

        assert "kurz" not in str(refused.value)

    def test_a_link_in_its_place_is_not_followed(self, data_dir: Path, tmp_path: Path) -> None:
        (tmp_path / "victim").write_text("v" * 40)
        (data_dir / "jwt_secret").symlink_to(tmp_path / "victim")

        with pytest.raises(Misconfigured, match="jwt_secret"):
            read(data_dir)

    def test_a_given_one_is_taken_and_no_file_made(self, data_dir: Path) -> None:
        config = read(data_dir, {"GLIMPSER_SECURITY__JWT_SECRET": "g" * 32})

        assert config.security.jwt_secret.get_secret_value() == "g" * 32
        assert not (data_dir / "jwt_secret").exists()

    @pytest.mark.parametrize("given", ["short", "é" * 15, "x" * 31])
    def test_a_given_one_that_is_too_short_is_refused(self, data_dir: Path, given: str) -> None:
        text = refusal(data_dir, {"GLIMPSER_SECURITY__JWT_SECRET": given})

        assert "GLIMPSER_SECURITY__JWT_SECRET: it wants a text of at least 32 bytes" in text
        assert given not in text


def test_only_the_configuration_reads_the_environment() -> None:
    sources = Path(__file__).parents[3] / "src" / "glimpser"

    readers = {
        path.relative_to(sources).parts[0]
        for path in sources.rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text("utf-8"))
    }

    assert readers == {"config"}
