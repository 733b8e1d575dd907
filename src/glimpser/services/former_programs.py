"""Views of the two earlier programs, as documents of ours: what is carried over, what not, and why."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

Document = dict[str, object]
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
_STREAMS = (".m3u8", ".mjpg", ".mjpeg", ".mp4", ".ts")
_VIDEO_SITES = ("youtube.com", "youtu.be", "twitch.tv", "vimeo.com")
_CAMERA_SCHEMES = ("rtsp", "rtsps", "rtmp")
_MINUTES_OF_A_DAY = 1440
_HARDWARE = ("none", "vaapi", "cuda", "qsv")
_KNOWN = frozenset(
    {
        *("id", "name", "url", "frequency", "timeout", "notes", "groups", "auth_username", "auth_password"),
        *("dedicated_xpath", "invert", "dark", "stealth", "browser"),
        *("camera_latitude", "camera_longitude", "private_camera"),
    }
)
_STATE = ("last_", "offline_since", "capture_failed", "thumbnail", "view_metadata", "baseline_caption")
_REASONS: Mapping[str, str] = {
    "popup_xpath": "elements are removed by CSS selectors here: set `remove` in the view",
    "proxy": "views have no proxies of their own unless the configuration file allows them",
    "callback_url": "make a channel of kind webhook and a rule instead",
    "motion": "motion is found in another way here: set its sensitivity in the view",
    "object_filter": "objects are not recognised in this version",
    "headless": "the browser never shows a window here",
    "danger": "make a rule instead",
    "livecaption": "pictures are not described in this version",
    "rollback_frames": "the best picture of an activity is kept by itself here",
    "webdriver_url": "a remote browser is named in the configuration file alone: capture.webdriver_url",
    "options": "options of yt-dlp are not taken from views",
}
_DEFAULTS: Mapping[str, object] = {
    "headless": True,
    "motion": 0.2,
    "object_confidence": 0.5,
    "event_buffer_fps": 1,
    "event_buffer_seconds": 120,
    "event_buffer_width": 640,
    "event_buffer_pre_seconds": 8,
    "event_buffer_post_seconds": 6,
    "event_buffer_format": "gif",
    "event_buffer_backoff_seconds": 300,
}


@dataclass(slots=True)
class Carried:
    """A view as a document of ours. `left` names fields that were not carried over, each with why."""

    document: Document = field(repr=False)
    left: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def from_original(row: Mapping[str, object]) -> Carried:
    """Make a view of a row of the original program's `templates`; columns it lacks are taken as unset."""
    kind, why = _kind_of(row)
    config: Document = {"url": _text(row, "url")}
    carried = Carried({"name": _text(row, "name"), "kind": kind, "config": config})
    carried.notes.append(f"kind {kind}: {why}; try the view once it is there")
    _carry_login(row, config, carried, kind)
    if kind == "website":
        _carry_page(row, config)
    carried.document |= _settings_of(row, carried)
    carried.left |= {name: _reason(name) for name in _unused(row, kind)}
    return carried


def _kind_of(row: Mapping[str, object]) -> tuple[str, str]:
    """Choose by how the address is spelled, for nothing is asked here; a browser it needed counts more."""
    url = _split(_text(row, "url"))
    if url.scheme.lower() in _CAMERA_SCHEMES:
        return "ffmpeg", "its address is that of a camera"
    if any(row.get(name) for name in ("browser", "stealth", "dedicated_xpath", "popup_xpath")):
        return "website", "it was shown by a browser"
    host = url.netloc.rpartition("@")[2].lower()
    if any(host == site or host.endswith(f".{site}") for site in _VIDEO_SITES):
        return "yt", "its address is that of a video site"
    return _kind_by_ending(url.path.lower())


def _kind_by_ending(path: str) -> tuple[str, str]:
    if path.endswith(_STREAMS):
        return "ffmpeg", "its address ends like that of a stream"
    if path.endswith(".pdf"):
        return "pdf", "its address ends like that of a document"
    if path.endswith(_PICTURES) or "snapshot" in path or "picture" in path:
        return "image", "its address looks like that of a picture"
    return "website", "nothing says that it is anything else"


def _carry_login(row: Mapping[str, object], config: Document, carried: Carried, kind: str) -> None:
    user, password = _text(row, "auth_username"), _text(row, "auth_password")
    if not user:
        return
    if kind == "yt":
        carried.left["auth_username"] = "signing in to video sites is not supported"
        return
    config["username"] = user
    if password:
        config["password"] = password


def _carry_page(row: Mapping[str, object], config: Document) -> None:
    config |= {name: True for name in ("dark", "invert", "stealth") if row.get(name)}
    if xpath := _text(row, "dedicated_xpath"):
        config |= {"selector": xpath, "selector_type": "xpath"}
    timeout_s = _number(row, "timeout")
    if timeout_s:
        config["timeout_s"] = min(max(timeout_s, 1), 40)


def _settings_of(row: Mapping[str, object], carried: Carried) -> Document:
    groups = [part.strip() for part in _text(row, "groups").split(",")]
    settings: Document = {
        "live": False,
        "notes": _text(row, "notes"),
        "groups": list(dict.fromkeys(part for part in groups if part)),
        "private": bool(row.get("private_camera")),
    }
    minutes = _number(row, "frequency") or 60
    settings["schedule"], exact = cron_of(minutes)
    if not exact:
        carried.notes.append(
            f"frequency: every {minutes:g} minutes became {settings['schedule']!r}, the next shorter rhythm"
        )
    place = [row.get(name) for name in ("camera_latitude", "camera_longitude")]
    if all(isinstance(value, int | float) for value in place):
        settings |= dict(zip(("lat", "lon"), place, strict=True))
    return settings


def cron_of(minutes: float) -> tuple[str, bool]:
    """Give the cron expression of a rhythm, and whether it is that one and not the next shorter.

    Cron counts within hours and days: only what divides them comes at even distances.
    """
    whole = max(1, int(minutes))
    if whole < 60:
        step = max(divisor for divisor in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30) if divisor <= whole)
        return ("* * * * *" if step == 1 else f"*/{step} * * * *"), step == minutes
    if whole < _MINUTES_OF_A_DAY:
        hours = max(divisor for divisor in (1, 2, 3, 4, 6, 8, 12) if divisor * 60 <= whole)
        return ("0 * * * *" if hours == 1 else f"0 */{hours} * * *"), hours * 60 == minutes
    if whole < 7 * _MINUTES_OF_A_DAY:
        return "0 0 * * *", whole == _MINUTES_OF_A_DAY
    if whole < 28 * _MINUTES_OF_A_DAY:
        return "0 0 * * 1", whole == 7 * _MINUTES_OF_A_DAY
    return "0 0 1 * *", False


def _unused(row: Mapping[str, object], kind: str) -> Iterator[str]:
    """Name what was set and has no place in the document; what happened is no setting."""
    page_only = ("dedicated_xpath", "invert", "dark", "stealth")
    for name, value in row.items():
        is_set = value not in (None, "", 0, False) and value != _DEFAULTS.get(name)
        if not is_set and not (name == "headless" and value in (0, False)):
            continue
        if (name in page_only and kind != "website") or (name not in _KNOWN and not name.startswith(_STATE)):
            yield name


def _reason(name: str) -> str:
    return _REASONS.get(name, "there is nothing like it here")


def from_rust(stream: Mapping[str, object]) -> Carried:
    """Make a view of a stream as glimpser-rs lists and exports it."""
    given = _config_of(stream)
    kind = str(given.pop("kind", "") or "")
    carried = Carried({"name": _text(stream, "name"), "kind": kind, "notes": _text(stream, "description")})
    config: Document = {}
    for name, value in given.items():
        target = _RUST_FIELDS.get(kind, {}).get(name)
        if value is None:
            continue
        if target is None:
            carried.left[name] = _reason(name)
        elif target == "hwaccel" and value not in _HARDWARE:
            carried.left[name] = f"hardware decoding is one of {', '.join(_HARDWARE)} here"
        else:
            config[target] = value
    if config.get("selector") is None:
        config.pop("selector_type", None)
    if stream.get("is_default"):
        carried.left["is_default"] = "no view is the default one here"
    carried.document["config"] = config
    return carried


def _config_of(stream: Mapping[str, object]) -> Document:
    """Read the config, which is stored as text in some exports."""
    config = stream.get("config")
    if isinstance(config, str):
        try:
            config = json.loads(config)
        except (ValueError, RecursionError):
            config = None
    return dict(config) if isinstance(config, Mapping) else {}


_RUST_FIELDS: Mapping[str, Mapping[str, str]] = {
    "ffmpeg": {"source_url": "url", "url": "url", "hardware_accel": "hwaccel", "rtsp_transport": "transport"},
    "file": {"file_path": "path", "path": "path", "loop": "loop"},
    "website": {
        "url": "url",
        "width": "width",
        "height": "height",
        "element_selector": "selector",
        "selector_type": "selector_type",
        "basic_auth_username": "username",
        "basic_auth_password": "password",
        "stealth": "stealth",
    },
    "yt": {"url": "url", "format": "format", "is_live": "is_live"},
}


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # half an IPv6 address; the view's kind will say so
        return urlsplit("")


def _text(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""


def _number(row: Mapping[str, object], name: str) -> float | None:
    value = row.get(name)
    try:
        number = float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None
    return number if number is not None and 0 < number < 1e9 else None
