"""Takes secrets out of what is logged, stored as a reason, or shown."""

import re

HIDDEN = "***"

# All before the last @ of an authority (RFC 3986, 3.2). Quotes are not excluded: passwords have them too.
_USERINFO = re.compile(r"(?<=://)([^\s/?#@:]*)(:?)[^\s/?#]*@")
# A password with a bare / or ? or #, as people type it: up to the last @ of the word. A host with a port
# whose path holds an @ looks the same and loses its path, which is the lesser harm. The bound keeps hostile
# text from costing more than linear time.
_LOOSE_USERINFO = re.compile(r"(?<=://)([^\s/?#@:]*):(?!\*\*\*@)\S{0,512}@")
# In queries, and in the paths of cameras that want them there (…/user=admin_password=…_channel=1.sdp).
_PARAMETER = re.compile(
    r"((?:password|passwd|passphrase|pass|pwd|loginpas|token|secret|credentials?|signature|key|jwt"
    r"|(?<![a-z])(?:pw|sig|sid|auth|session))\d{0,3}=)[^\s&;#\"'<>]+",
    re.IGNORECASE,
)
_HEADER = re.compile(r"(\b(?:authorization|cookie)[\"']?\s{0,4}[:=]\s{0,4})[^\r\n]+", re.IGNORECASE)
_BEARER = re.compile(r"(\bbearer\s{1,4})[\w.~+/=-]{16,}", re.IGNORECASE)
# In all that these match there is one of them. Names and identifiers, most of what is logged, have none.
_CARRIER = re.compile(r"[:=\s]")


def redact(text: str) -> str:
    """Hide credentials in URLs and messages: `user:***@`, `token=***`. Hides rather more than less.

    Applying it twice changes nothing more.
    """
    if not _CARRIER.search(text):
        return text
    text = _USERINFO.sub(_hide_userinfo, text)
    text = _LOOSE_USERINFO.sub(rf"\1:{HIDDEN}@", text)
    text = _PARAMETER.sub(rf"\1{HIDDEN}", text)
    text = _HEADER.sub(rf"\1{HIDDEN}", text)
    return _BEARER.sub(rf"\1{HIDDEN}", text)


def _hide_userinfo(match: re.Match[str]) -> str:
    user, colon = match[1], match[2]
    # Without a colon the whole of it may be a token, as in https://TOKEN@host/.
    return f"{user}:{HIDDEN}@" if colon else f"{HIDDEN}@"
