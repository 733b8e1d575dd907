"""The kinds of value settings have: each parser turns what was written into a type, or says why not."""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainValidator, ValidationInfo

from glimpser.config.secret import Secret
from glimpser.core.errors import InvalidInput
from glimpser.core.local_time import zone_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LogLevel = Literal["debug", "info", "warning", "error", "critical"]

_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*\.?", re.IGNORECASE
)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f]")
_RATE = re.compile(
    r"\s*0*[1-9]\d{0,8}\s*(?:/|per)\s*(?:0*[1-9]\d{0,4}\s*)?(?:second|minute|hour|day)s?\s*", re.ASCII
)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]*/?)*")
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,253}")


def _whole_number(value: object) -> object:
    """Refuse what pydantic would bend into a whole number: booleans and fractions."""
    if isinstance(value, bool | float):
        raise ValueError("it is no whole number")  # noqa: TRY004 (pydantic collects ValueError alone)
    return value


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("it is no number")  # noqa: TRY004 (pydantic collects ValueError alone)
    return value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("it is no text")  # noqa: TRY004 (pydantic collects ValueError alone)
    return value


def _host(value: object) -> str:
    text = _text(value)
    if "]" in text:
        raise ValueError("write IPv6 addresses without brackets, the port is a setting of its own")
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if not _HOST_NAME.fullmatch(text) or text.replace(".", "").isdigit():
            raise ValueError("give only the address, without port and scheme") from None
    return text


def _network(value: object) -> Network:
    text = _text(value)
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        try:
            nearest = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError("it is no network") from None
    raise ValueError(f"it has bits set behind its prefix, the network is {nearest}")


def _public_url(value: object) -> str:
    text = _text(value)
    if _UNPRINTABLE.search(text) or "\\" in text:
        raise ValueError("it holds white space, control characters or backslashes")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it does not begin with http:// or https:// and a host")
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("give scheme, host and port alone")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port is not None else "")


def time_zone(name: str) -> str:
    """Take the name of a time zone.

    Raises:
        ValueError: there is none of this name.
    """
    try:
        zone_of(name)
    except InvalidInput as error:
        raise ValueError(error.detail) from error
    return name


def address_of_webdriver(value: Secret) -> Secret:
    """Take the address of a WebDriver, which may hold a user name and a password.

    Raises:
        ValueError: it is none.
    """
    text = value.get_secret_value()
    parts = urlsplit(text)
    if (
        _UNPRINTABLE.search(text)
        or "\\" in text
        or parts.scheme not in ("http", "https")
        or not parts.hostname
    ):
        raise ValueError("it does not begin with http:// or https:// and a host")
    if parts.query or parts.fragment:
        raise ValueError("it has options behind the path")
    return value


def _dev_tools(value: object) -> str:
    host, colon, port = _text(value).rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError("it does not end with a colon and a port")
    return f"{_host(host)}:{int(port)}"


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("the home directory in it is not known") from None


def _absolute(path: Path, info: ValidationInfo) -> Path:
    """Take a relative path from the data directory: it does not move with the working directory."""
    context: Mapping[str, Path] = info.context or {}
    path = _expanded(path)
    if not path.is_absolute() and "data_dir" not in context:
        raise ValueError("it is not absolute")
    return path if path.is_absolute() else context["data_dir"] / path


def _some_path(value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ValueError("it is no path")
    return Path(value)


def _path(value: object, info: ValidationInfo) -> Path:
    return _absolute(_some_path(value), info)


def directory(value: object) -> Path:
    """Take a directory from the working directory, as a person at a shell means it.

    Raises:
        ValueError: it is no path, or begins with a home directory nobody has.
    """
    return _expanded(_some_path(value)).absolute()


def _database_url(value: object, info: ValidationInfo) -> str:
    scheme, separator, rest = _text(value).partition("://")
    if scheme.split("+")[0] in ("postgresql", "postgres"):
        raise ValueError("PostgreSQL is not in this version")
    if scheme != "sqlite" or not separator or not rest.startswith("/"):
        raise ValueError("it does not begin with sqlite:///")
    if "?" in rest or "#" in rest:
        raise ValueError("it has options behind the path; write ? as %3F and # as %23 in a file's name")
    name = unquote(rest[1:])
    if name in ("", ":memory:") or "\0" in name:
        raise ValueError("it names no file")
    return database_url(_absolute(Path(name), info))


def _object_store_url(value: object) -> str:
    scheme, separator, rest = _text(value).partition("://")
    if scheme == "s3":
        return _s3_url(rest)
    if scheme != "file" or not separator or not rest.startswith("/") or "?" in rest or "#" in rest:
        raise ValueError("it is not file:/// and an absolute path")
    path = unquote(rest)
    if "\0" in path:
        raise ValueError("it is no path")
    return Path(path).as_uri()


def _s3_url(rest: str) -> str:
    """Check what stands behind `s3://`: the name of a bucket, and perhaps a prefix."""
    bucket, _, prefix = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError("the bucket's name behind s3:// has other characters than a-z 0-9 . and -")
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("its prefix has other characters than letters, digits and . _ - /")
    return f"s3://{bucket}/{prefix}".rstrip("/")


def _email(value: object) -> str:
    text = _text(value).strip()
    if not _EMAIL.fullmatch(text):
        raise ValueError("it is no address of the form name@host")
    return text


def _rates(value: object) -> str:
    """Take limits in the notation of the library `limits`; none may be 0, which would refuse everything."""
    text = _text(value).strip().lower()
    if text != "off" and not all(_RATE.fullmatch(rate) for rate in re.split("[;,]", text)):
        raise ValueError("each limit is a count above 0, / and second, minute, hour or day")
    return text


def _levels(value: object) -> object:
    """Allow `glimpser.capture = "debug"` as a dotted key of TOML, which means nested tables."""
    if not isinstance(value, Mapping):
        return value
    flat: dict[object, object] = {}
    for name, level in value.items():
        inner = _levels(level)
        if isinstance(inner, Mapping):
            flat |= {f"{name}.{key}": deeper for key, deeper in inner.items()}
        else:
            flat[name] = _lower(inner)
    return flat


def long_enough(least_bytes: int) -> AfterValidator:
    """Make the check that a secret has at least so many bytes in UTF-8."""

    def check(secret: Secret) -> Secret:
        if len(secret.get_secret_value().encode("utf-8", "surrogateescape")) < least_bytes:
            raise ValueError(f"it has less than {least_bytes} bytes")
        return secret

    return AfterValidator(check)


def database_url(path: Path) -> str:
    """Write the address of an SQLite file the way SQLAlchemy reads it (percent-encoded)."""
    return f"sqlite:///{quote(str(path))}"


WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
Number = Annotated[float, BeforeValidator(_number)]
Level = Annotated[LogLevel, BeforeValidator(_lower)]
LogFormat = Annotated[Literal["json", "pretty", "auto"], BeforeValidator(_lower)]
TlsMode = Annotated[Literal["off", "files", "self-signed"], BeforeValidator(_lower)]
Levels = Annotated[Mapping[str, LogLevel], BeforeValidator(_levels)]
Host = Annotated[str, PlainValidator(_host)]
NetworkValue = Annotated[Network, PlainValidator(_network)]
PublicUrl = Annotated[str, PlainValidator(_public_url)]
FilePath = Annotated[Path, PlainValidator(_path)]
Directory = Annotated[Path, PlainValidator(directory)]
DatabaseUrl = Annotated[str, PlainValidator(_database_url)]
ObjectStoreUrl = Annotated[str, PlainValidator(_object_store_url)]
DevTools = Annotated[str, PlainValidator(_dev_tools)]
Email = Annotated[str, PlainValidator(_email)]
Rates = Annotated[str, PlainValidator(_rates)]
