import re
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from glimpser.config import Secret
from tests.unit.config.given import read, refusal, write_toml

VALUES: dict[str, tuple[list[str], list[str]]] = {
    "SERVER__PORT": (["65536", "-1", "http", "80.5", "0x50", "8080/tcp"], ["0", "1", "65535"]),
    "OBSERVABILITY__PORT": (["100000", "nine"], ["9000"]),
    "SERVER__HOST": (
        ["[::1]", "::1]:80", "host:80", "http://x", "a b", "300.1.1.1", "-h"],
        ["::1", "0.0.0.0", "nas", "nas.local"],
    ),
    "SERVER__PUBLIC_URL": (
        [
            "cameras.example",
            "ftp://x",
            "https://",
            "https://u:p@x",
            "https://x/path",
            "https://x?q",
            "https://x:99999",
            "http://x\\@y",
            "http://x\ty",
        ],
        ["https://cameras.example:8443", "http://[fd00::1]:80", "https://x/"],
    ),
    "SERVER__MAX_BODY_BYTES": (["0", "1 MiB"], ["1048576"]),
    "SERVER__MAX_STREAMS": (["0", "-5"], ["1"]),
    "SERVER__TLS__MODE": (["on", "self_signed"], ["off", "Self-Signed"]),
    "SERVER__TRUSTED_PROXIES": (['["proxy"]', "proxy"], ['["127.0.0.1"]']),
    "OBSERVABILITY__LOG_LEVEL": (["verbose", "7"], ["debug", "INFO", " warning "]),
    "OBSERVABILITY__LOG_FORMAT": (["xml"], ["json", "Pretty", "auto"]),
    "OBSERVABILITY__LOG_LEVELS": (
        ["debug", '{"glimpser": "loud"}', "[]"],
        ['{"glimpser.capture": "DEBUG"}', "{}"],
    ),
    "OBSERVABILITY__METRICS_TOKEN": (["short"], ["long enough to keep"]),
    "DATABASE__URL": (
        [
            "postgresql://h/x",
            "mysql://h/x",
            "sqlite://",
            "sqlite:///",
            "sqlite:///:memory:",
            "/x.db",
            "sqlite:///a?b=c",
            "sqlite:///a%00b",
        ],
        ["sqlite:////x.db", "sqlite:///x.db", "sqlite:////a%3Fb.db"],
    ),
    "DATABASE__POOL_SIZE": (["0", "65"], ["1", "64"]),
    "DATABASE__SQLITE_WAL": (["maybe", "2"], ["true", "false", "0"]),
    "SECURITY__ARGON2__MEMORY_KIB": (["1024", "19455"], ["19456"]),
    "SECURITY__TOKEN_TTL_S": (["1", "3d"], ["60", "86400"]),
    "SECURITY__RATE_LIMITS__ADDRESS": (
        ["0/second", "10", "ten/second", "10/0 seconds", "10/year", "5/minute;", "-1/hour", "10/second x"],
        ["off", "10/second", "5 per 2 minutes; 20/hour", "1/DAY"],
    ),
    "SECURITY__LOGIN_LIMITS": (["5/minute;0/hour"], ["off", "3/minute"]),
    "STORAGE__OBJECT_STORE_URL": (
        [
            "s3://",
            "s3://Bucket",
            "s3://bucket/../x",
            "s3://bucket/a b",
            "s3://b?x",
            "http://x",
            "file://host/x",
            "file://relative",
            "/x",
            "file:///a%00b",
        ],
        ["file:///srv/objects", "file:///with%20space", "s3://bucket", "s3://my.bucket/some/prefix"],
    ),
    "CAPTURE__WEBDRIVER_URL": (
        ["grid:4444", "ftp://grid", "http://", "http://a b", "http://a\\@b"],
        ["http://grid:4444", "https://ann:pw@grid/wd/hub"],
    ),
    "CAPTURE__TIMEZONE": (["Mars/Phobos", "../UTC", "-1"], ["Europe/Berlin", "UTC"]),
    "CAPTURE__INGEST_WORKERS": (["0", "33", "all"], ["1", "32"]),
    "CAPTURE__STALL_TIMEOUT_S": (["0.5", "15.1", "nan", "inf", "-8"], ["1", "7.5", "15"]),
    "CAPTURE__CAMERA_CIDRS": (
        ["10.0.0.0/8", "[10]", '["10.0.0.0/33"]', '["10.0.0.1/8"]', '{"a": 1}', '"10.0.0.0/8"', "[" * 5000],
        ["[]", '["10.0.0.0/8"]', '["192.168.1.7", "fd00::/8"]'],
    ),
    "CAPTURE__FILE_ROOTS": (
        ["/srv", '"/srv"', "[1]", '[""]', '["a\\u0000b"]', '["~nobody-of-this-name"]'],
        ["[]", '["/srv/video", "more"]'],
    ),
    "ADMIN_EMAIL": (["admin", "a@b@c", "a b@c"], []),
    "ADMIN_PASSWORD": (["too short"], []),
}


@pytest.mark.parametrize("variable", VALUES)
def test_a_bad_value_is_refused_by_name_and_its_legal_twins_are_taken(data_dir: Path, variable: str) -> None:
    bad, good = VALUES[variable]

    for value in bad:
        text = refusal(data_dir, {f"GLIMPSER_{variable}": value})
        assert re.search(
            rf"^  - GLIMPSER_{variable}: it wants .+\. Correct it or leave it out", text, re.MULTILINE
        )
        assert text.count("\n") == 1
    for value in good:
        read(data_dir, {f"GLIMPSER_{variable}": value})


def test_values_become_types(data_dir: Path) -> None:
    config = read(
        data_dir,
        {
            "GLIMPSER_CAPTURE__CAMERA_CIDRS": '["192.168.1.7"]',
            "GLIMPSER_CAPTURE__FILE_ROOTS": '["/srv/video", "more"]',
            "GLIMPSER_OBSERVABILITY__LOG_LEVELS": '{"glimpser.capture": "DEBUG"}',
            "GLIMPSER_SERVER__PUBLIC_URL": "https://Cameras.example/",
            "GLIMPSER_DATABASE__SQLITE_WAL": "false",
        },
    )

    assert config.capture.camera_cidrs == (ip_network("192.168.1.7/32"),)
    assert config.capture.file_roots == (Path("/srv/video"), data_dir / "more")
    assert config.observability.log_levels == {"glimpser.capture": "debug"}
    assert config.server.public_url == "https://cameras.example"
    assert config.database.sqlite_wal is False


def test_a_data_directory_of_any_characters_reaches_the_database_unharmed(tmp_path: Path) -> None:
    config = read(tmp_path / "ein Ordner? #1 100%")

    assert config.database.url == f"sqlite:///{tmp_path}/ein%20Ordner%3F%20%231%20100%25/glimpser.db"


@pytest.mark.parametrize("literal", ["true", "80.0", '"x"', "[80]", "1979-05-27"])
def test_a_toml_value_of_another_type_is_not_bent_into_a_port(data_dir: Path, literal: str) -> None:
    path = write_toml(data_dir, f"[server]\nport = {literal}\n")

    assert f"server.port in {path}: it wants a port" in refusal(data_dir)


def test_dotted_names_of_loggers_need_no_quotes_in_toml(data_dir: Path) -> None:
    write_toml(data_dir, '[observability.log_levels]\nglimpser.capture = "debug"\n"glimpser.web" = "error"\n')

    levels = read(data_dir).observability.log_levels

    assert levels == {"glimpser.capture": "debug", "glimpser.web": "error"}


def test_a_network_with_bits_behind_its_prefix_is_told_which_it_is(data_dir: Path) -> None:
    text = refusal(data_dir, {"GLIMPSER_CAPTURE__CAMERA_CIDRS": '["10.0.0.0/8", "192.168.1.5/24"]'})

    assert "item 2 is '192.168.1.5/24'" in text
    assert "the network is 192.168.1.0/24" in text


@pytest.mark.parametrize("given", ["EMAIL", "PASSWORD"])
def test_the_first_administrator_is_given_whole_or_not_at_all(data_dir: Path, given: str) -> None:
    values = {"EMAIL": "admin@example.org", "PASSWORD": "twelve bytes"}

    half = refusal(data_dir, {f"GLIMPSER_ADMIN_{given}": values[given]})
    whole = read(data_dir, {f"GLIMPSER_ADMIN_{name}": value for name, value in values.items()})

    assert "belong together" in half
    assert whole.admin_email == "admin@example.org"
    assert whole.admin_password == Secret("twelve bytes")


@pytest.mark.parametrize("missing", ["CERT", "KEY"])
def test_https_by_files_names_both_of_them(data_dir: Path, missing: str) -> None:
    settings = {"MODE": "files", "CERT": "tls/full.pem", "KEY": "/etc/key.pem"}
    names = {f"GLIMPSER_SERVER__TLS__{name}": value for name, value in settings.items()}

    half = refusal(data_dir, {name: value for name, value in names.items() if not name.endswith(missing)})

    assert "server.tls.cert and server.tls.key" in half
    assert read(data_dir, names).server.tls.cert == data_dir / "tls/full.pem"


def test_a_configuration_cannot_be_changed(data_dir: Path) -> None:
    config = read(data_dir)

    with pytest.raises(ValidationError, match="frozen"):
        config.server.port = 1
