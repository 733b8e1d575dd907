"""Every setting of the program: its type, default, bounds and meaning. All values are immutable."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from glimpser.config.keeping import Exports, Retention
from glimpser.config.kinds import (
    DatabaseUrl,
    DevTools,
    Directory,
    Email,
    FilePath,
    Host,
    Level,
    Levels,
    LogFormat,
    Network,
    NetworkValue,
    Number,
    ObjectStoreUrl,
    PublicUrl,
    Rates,
    TlsMode,
    WholeNumber,
    address_of_webdriver,
    long_enough,
    time_zone,
)
from glimpser.config.secret import Secret
from glimpser.config.section import Section, setting

JWT_SECRET_BYTES = 32
"""The least length of the key of HS256: that of its hash (RFC 7518, section 3.2)."""

PRIVATE_NETWORKS: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""Where home cameras are: RFC 1918 and unique local IPv6 (RFC 4193)."""

Hwaccel = Literal["none", "vaapi", "cuda", "qsv"]
Port = Annotated[WholeNumber, Field(ge=0, le=65535)]
STORE = "the address of a directory or bucket, like file:///var/lib/glimpser/objects or s3://bucket/prefix"
PORT = "a port: a whole number from 0 to 65535 (0: any free one)"
HOST = "an IP address or a host name to listen on"
RATES = "limits like 100/second;3000/minute, or off"
NETWORKS = 'a list of networks, like ["192.168.0.0/16", "fc00::/7"]'


class Tls(Section):
    """HTTPS without a proxy. Installed web apps and notifications of the browser need it."""

    mode: TlsMode = setting(
        "off",
        wants="off, files or self-signed",
        meaning="HTTPS: `off`, by `files`, or by a `self-signed` certificate made once in `<data_dir>/tls`.",
    )
    cert: FilePath | None = setting(
        None, wants="a file", meaning="The certificate with its chain, PEM; for `files`."
    )
    key: FilePath | None = setting(
        None, wants="a file", meaning="Its key, PEM without a passphrase; for `files`."
    )

    @model_validator(mode="after")
    def _files_are_named(self) -> Self:
        if self.mode == "files" and (self.cert is None or self.key is None):
            raise ValueError("server.tls.mode is files: name them by server.tls.cert and server.tls.key.")
        return self


class Server(Section):
    """The web server."""

    host: Host = setting("127.0.0.1", wants=HOST, meaning="Address the web server listens on.")
    port: Port = setting(8080, wants=PORT, meaning="Its port; 0 takes any free one.")
    tls: Tls = Tls()
    public_url: PublicUrl | None = setting(
        None,
        wants="an address like https://cameras.example.org",
        meaning="Address people use when a proxy stands before the program.",
    )
    trusted_proxies: tuple[NetworkValue, ...] = setting(
        (), wants=NETWORKS, meaning="Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."
    )
    static_dir: FilePath | None = setting(
        None,
        shown="the web app that comes with the program",
        wants="a directory with an index.html",
        meaning="A web app of your own; links that lead out of the directory are not followed.",
    )
    max_body_bytes: Annotated[WholeNumber, Field(ge=1024, le=1 << 30)] = setting(
        1 << 20,
        wants="a whole number of bytes from 1024 to 1073741824",
        meaning="Largest body of a request.",
    )
    max_streams: Annotated[WholeNumber, Field(ge=1, le=100_000)] = setting(
        1000, wants="a whole number from 1 to 100000", meaning="Streams open at one time."
    )
    max_streams_per_client: Annotated[WholeNumber, Field(ge=1, le=100_000)] = setting(
        256,
        wants="a whole number from 1 to 100000",
        meaning="Streams one address, and one user, may have open.",
    )
    max_connections_per_client: Annotated[WholeNumber, Field(ge=1, le=100_000)] = setting(
        512,
        wants="a whole number from 1 to 100000",
        meaning="Connections one address may have open; those of trusted proxies are not counted.",
    )


class Observability(Section):
    """Logs, health and metrics."""

    host: Host = setting("127.0.0.1", wants=HOST, meaning="Address of the health and metrics port.")
    port: Port = setting(9000, wants=PORT, meaning="The health and metrics port; 0 takes any free one.")
    metrics_token: Annotated[Secret, long_enough(16)] | None = setting(
        None,
        wants="a text of at least 16 bytes",
        meaning="Bearer token for `/metrics`; without one, only this machine may read it.",
    )
    log_level: Level = setting(
        "info", wants="debug, info, warning, error or critical", meaning="Least level that is logged."
    )
    log_levels: Levels = setting(
        {},
        wants='a level for each logger, like {"glimpser.capture": "debug"}',
        meaning="Other levels for single loggers and those below them.",
    )
    log_format: LogFormat = setting(
        "auto", wants="json, pretty or auto", meaning="`auto` is `pretty` on a terminal, else `json`."
    )


class Database(Section):
    """Where rows are kept."""

    url: DatabaseUrl = setting(
        ...,
        shown="sqlite:///<data_dir>/glimpser.db",
        wants="the address of an SQLite file, like sqlite:////var/lib/glimpser/glimpser.db",
        meaning="Address of the database; a relative path starts at the data directory.",
    )
    pool_size: Annotated[WholeNumber, Field(ge=1, le=64)] = setting(
        4, wants="a whole number from 1 to 64", meaning="Connections that read at one time."
    )
    sqlite_wal: bool = setting(
        True,
        wants="true or false",
        meaning="Write-ahead log; switch it off on a network disk.",
    )


class Argon2(Section):
    """Cost of a password's hash (RFC 9106, argon2id)."""

    time_cost: Annotated[WholeNumber, Field(ge=1, le=100)] = setting(
        3, wants="a whole number from 1 to 100", meaning="Passes over the memory of a password's hash."
    )
    memory_kib: Annotated[WholeNumber, Field(ge=19_456, le=4_194_304)] = setting(
        65_536, wants="a whole number from 19456 to 4194304", meaning="Memory of a password's hash in KiB."
    )
    parallelism: Annotated[WholeNumber, Field(ge=1, le=64)] = setting(
        1, wants="a whole number from 1 to 64", meaning="Cores that a password's hash keeps busy."
    )


class RateLimits(Section):
    """Requests somebody may make, above what a wall of 64 views asks for. More are refused with 429."""

    address: Rates = setting(
        "200/second;6000/minute", wants=RATES, meaning="Requests without identity from one address."
    )
    address_writes: Rates = setting(
        "20/second;120/minute",
        wants=RATES,
        meaning="Those of them that change something, as signing in does.",
    )
    principal: Rates = setting(
        "400/second;18000/minute", wants=RATES, meaning="Requests of one user or API key."
    )
    principal_writes: Rates = setting(
        "50/second;1200/minute", wants=RATES, meaning="Those of them that change something."
    )


class Security(Section):
    """Secrets and their cost."""

    jwt_secret: Annotated[Secret, long_enough(JWT_SECRET_BYTES)] = setting(
        ...,
        shown="made once, in <data_dir>/jwt_secret",
        wants=f"a text of at least {JWT_SECRET_BYTES} bytes",
        meaning="Key that signs sessions; changing it ends all of them.",
    )
    token_ttl_s: Annotated[WholeNumber, Field(ge=60, le=2_592_000)] = setting(
        43_200, wants="a whole number of seconds from 60 to 2592000", meaning="Life of a session in seconds."
    )
    argon2: Argon2 = Argon2()
    rate_limits: RateLimits = RateLimits()
    login_limits: Rates = setting(
        "5/minute;20/hour",
        wants=RATES,
        meaning="Wrong passwords for one account from one address; then they have to wait.",
    )


class Storage(Section):
    """Where pictures and recordings are kept."""

    object_store_url: ObjectStoreUrl = setting(
        ...,
        shown="file://<data_dir>/objects",
        wants=STORE,
        meaning="Where pictures and recordings are kept: a directory, or a bucket of an S3 service.",
    )
    mirror_url: ObjectStoreUrl | None = setting(
        None, wants=STORE, meaning="A second store that gets a copy of everything, such as one far away."
    )
    former_url: ObjectStoreUrl | None = setting(
        None,
        wants=STORE,
        meaning="The store used before: what lies there is still found, and is moved to the one of now.",
    )
    endpoint_url: PublicUrl | None = setting(
        None,
        shown="that of the region",
        wants="an address like https://s3.example.org",
        meaning="Address of an S3 service other than Amazon's.",
    )
    region: str = setting("us-east-1", wants="the name of a region", meaning="Region of the S3 service.")
    access_key_id: str | None = setting(
        None,
        shown="that of the machine's role",
        wants="a text",
        meaning="Name of the key to the S3 service.",
    )
    secret_access_key: Annotated[Secret, long_enough(1)] | None = setting(
        None, wants="a text", meaning="The key to the S3 service."
    )
    virtual_hosted: bool = setting(
        False, wants="true or false", meaning="Name the bucket in the host instead of the path."
    )


class Capture(Section):
    """How views are opened."""

    ingest_workers: Annotated[WholeNumber, Field(ge=1, le=32)] | None = setting(
        None,
        shown="one for 8 cameras, at most one for each core and 4",
        wants="a whole number from 1 to 32",
        meaning="Processes that read cameras.",
    )
    file_roots: tuple[FilePath, ...] = setting(
        ...,
        shown='["<data_dir>/media"]',
        wants='a list of directories, like ["/srv/video"]',
        meaning="Directories views of kind `file` may read; relative ones start at the data directory.",
    )
    camera_cidrs: tuple[NetworkValue, ...] = setting(
        PRIVATE_NETWORKS,
        wants=NETWORKS,
        meaning="Networks beside the internet that views of kind `ffmpeg` may reach; `[]` closes them.",
    )
    egress_allow: tuple[NetworkValue, ...] = setting(
        (),
        wants=NETWORKS,
        meaning="Networks beside the internet that everything else may reach, such as webhooks.",
    )
    hwaccel: Hwaccel = setting(
        "none",
        wants="none, vaapi, cuda or qsv",
        meaning="What decodes cameras whose config does not say; the CPU does where it fails.",
    )
    stall_timeout_s: Annotated[Number, Field(ge=1, le=15)] = setting(
        8.0,
        wants="a number of seconds from 1 to 15",
        meaning="Silence after which a camera counts as stalled, in seconds.",
    )

    timezone: Annotated[str, AfterValidator(time_zone)] | None = setting(
        None,
        shown="this machine's",
        wants="an IANA name of a time zone, like Europe/Berlin or UTC",
        meaning="Clock of the times that are written into pictures, for views without a `timezone` of their"
        " own.",
    )
    webdriver_url: Annotated[Secret, AfterValidator(address_of_webdriver)] | None = setting(
        None,
        wants="an address like http://grid:4444",
        meaning="A Selenium Grid or WebDriver that shows pages instead of a browser of this machine; what its"
        " browsers reach is not limited by `capture.egress_allow`.",
    )
    browser_sandbox: bool = setting(
        True,
        wants="true or false",
        meaning="The browser's own sandbox; without it a hostile page that breaks the browser is this user.",
    )
    browser_concurrency: Annotated[WholeNumber, Field(ge=1, le=16)] = setting(
        2, wants="a whole number from 1 to 16", meaning="Pages shown at one time."
    )
    browser_memory_mib: Annotated[WholeNumber, Field(ge=256, le=65_536)] = setting(
        700,
        wants="a whole number from 256 to 65536",
        meaning="Memory of the browser in MiB after which it is replaced by a fresh one; at three times as"
        " much it is ended at once.",
    )
    browser_attach: DevTools | None = setting(
        None,
        wants="host and port, like 127.0.0.1:9222",
        meaning="DevTools of a browser that runs already, with its sessions, for the views that ask for it;"
        " what it reaches is not limited by `capture.egress_allow`.",
    )
    allow_view_proxy: bool = setting(
        False,
        wants="true or false",
        meaning="Lets single web pages be fetched through proxies of their own, past `capture.egress_allow`.",
    )


class Alerts(Section):
    """When people are told."""

    min_level: Level = setting(
        "error",
        wants="debug, info, warning, error or critical",
        meaning="Least level of an event that makes an alert without any rule.",
    )
    health_grace_s: Annotated[Number, Field(ge=0, le=3600)] = setting(
        30.0,
        wants="a number of seconds from 0 to 3600",
        meaning="Time a view must be down, frozen or otherwise unwell before that is an event, in seconds.",
    )


class Jobs(Section):
    """What happens later."""

    history_days: Annotated[WholeNumber, Field(ge=1, le=3650)] = setting(
        30, wants="a whole number of days from 1 to 3650", meaning="How long jobs that ended are kept."
    )
    history_count: Annotated[WholeNumber, Field(ge=100, le=10_000_000)] = setting(
        100_000,
        wants="a whole number from 100 to 10000000",
        meaning="How many jobs that ended are kept; the oldest go first.",
    )


class External(Section):
    """What others see of the program."""

    webhook_base_url: PublicUrl | None = setting(
        None,
        shown="server.public_url, else where the server listens",
        wants="an address like https://cameras.example.org",
        meaning="Address that links in alerts begin with.",
    )


class Config(Section):
    """The whole configuration. Make it by `load`, which knows the defaults of the data directory."""

    data_dir: Directory = setting(
        ...,
        shown="$XDG_DATA_HOME/glimpser, else ~/.local/share/glimpser",
        wants="a directory",
        meaning="Where everything the program keeps lies unless another setting says otherwise.",
    )
    admin_email: Email | None = setting(
        None,
        wants="an address like admin@example.org",
        meaning="Address of the first administrator, made at the first start; needs `admin_password`.",
    )
    admin_password: Annotated[Secret, long_enough(12)] | None = setting(
        None, wants="a text of at least 12 bytes", meaning="Password of the first administrator."
    )
    failpoint: str = setting(
        "",
        wants="name:kill, name:raise or name:sleep:MS",
        meaning="Makes the program fail on purpose at a named place; for tests.",
    )
    server: Server = Server()
    observability: Observability = Observability()
    database: Database
    security: Security
    storage: Storage
    capture: Capture
    alerts: Alerts = Alerts()
    jobs: Jobs = Jobs()
    retention: Retention = Retention()
    exports: Exports = Exports()
    external: External = External()

    @model_validator(mode="after")
    def _admin_is_whole(self) -> Self:
        if (self.admin_email is None) != (self.admin_password is None):
            raise ValueError("admin_email and admin_password belong together: give both or none.")
        return self
