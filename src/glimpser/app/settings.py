"""From the configuration to what is kept takes: also by commands, which need no more."""

from glimpser.config import Config
from glimpser.core.clock import Clock
from glimpser.core.retention import RetentionPolicy
from glimpser.db.settings import DatabaseSettings
from glimpser.services.attempts import Attempts, Limit
from glimpser.services.job_history import HistoryLimits
from glimpser.services.rates import parse_limits
from glimpser.services.retention import RetentionLimits
from glimpser.services.tokens import Tokens
from glimpser.storage.settings import S3Settings, StoreSettings


def database_settings(config: Config) -> DatabaseSettings:
    section = config.database
    return DatabaseSettings(url=section.url, pool_size=section.pool_size, sqlite_wal=section.sqlite_wal)


def store_settings(config: Config) -> StoreSettings:
    section = config.storage
    key = section.secret_access_key
    return StoreSettings(
        url=section.object_store_url,
        state=config.data_dir,
        mirror_url=section.mirror_url,
        former_url=section.former_url,
        s3=S3Settings(
            endpoint_url=section.endpoint_url,
            region=section.region,
            access_key_id=section.access_key_id,
            secret_access_key=key.get_secret_value() if key else None,
            virtual_hosted=section.virtual_hosted,
        ),
    )


def history_limits(config: Config) -> HistoryLimits:
    return HistoryLimits(days=config.jobs.history_days, count=config.jobs.history_count)


def retention_limits(config: Config) -> RetentionLimits:
    section = config.retention
    return RetentionLimits(
        views=RetentionPolicy(
            max_age_days=section.max_age_days,
            max_count=section.max_count,
            max_bytes=section.max_bytes,
            thin_after_days=section.thin_after_days,
            thin_to=section.thin_to,
        ),
        total=RetentionPolicy(max_count=section.total_count, max_bytes=section.total_bytes),
        history_days=section.history_days,
        deleted_view_days=section.deleted_view_days,
        audit_days=section.audit_days,
        refusals=section.audit_refusals,
    )


def tokens_of(config: Config, clock: Clock) -> Tokens:
    section = config.security
    return Tokens(section.jwt_secret.get_secret_value(), lifetime_s=section.token_ttl_s, clock=clock)


def attempts_of(config: Config, clock: Clock) -> Attempts:
    limits = parse_limits(config.security.login_limits)
    return Attempts(clock, [Limit(limit.amount, limit.get_expiry()) for limit in limits])
