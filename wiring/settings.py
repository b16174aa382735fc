"""Everything that can be set from outside, each with its meaning; `.env.example` is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings of one process, from environment variables or a `.env` file."""

    model_config = SettingsConfigDict(
        env_prefix="FOLIO_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        env_ignore_empty=True,
    )

    # Servers
    database_url: str | None = Field(
        None,
        validation_alias="DATABASE_URL",
        repr=False,
        description="PostgreSQL 17 or later, as the role the product runs as. "
        "Empty: an embedded server in FOLIO_DATA_DIR.",
    )
    migration_database_url: str | None = Field(
        None,
        repr=False,
        description="The same database as the role that owns the schema; a direct connection, not "
        "a transaction pooler. Empty: DATABASE_URL.",
    )
    redis_url: str | None = Field(
        None,
        validation_alias="REDIS_URL",
        repr=False,
        description="Redis 7 or Valkey 8 or later. Empty: an embedded server in FOLIO_DATA_DIR.",
    )
    data_dir: Path = Field(
        Path(".folio"), description="Where embedded servers and local secrets keep their files."
    )
    database_pool_min: int = Field(2, ge=0, description="Database connections kept open.")
    database_pool_max: int = Field(
        16, ge=1, description="Database connections of one process at most."
    )

    # API
    api_host: str = Field("127.0.0.1", description="Address the API listens on.")
    api_port: int = Field(8080, ge=0, le=65535, description="Port of the API; 0 takes a free one.")
    operator_key: SecretStr | None = Field(
        None, description="Key of the operator, who makes projects, apps and their keys."
    )
    key_pepper: SecretStr | None = Field(
        None,
        description="Secret in the keyed hash of every API key. Changing it ends all keys at once.",
    )
    entitlement_cache_seconds: float = Field(
        5.0, ge=0, description="Longest time a cached entitlement answers after it was read."
    )
    position_wait_seconds: float = Field(
        2.0, ge=0, description="Longest time a read waits for the position its caller asked for."
    )

    # Stripe
    stripe_secret_key: SecretStr | None = Field(
        None, validation_alias="STRIPE_SECRET_KEY", description="Secret key of the Stripe account."
    )
    stripe_webhook_secret: SecretStr | None = Field(
        None,
        validation_alias="STRIPE_WEBHOOK_SECRET",
        description="Signing secret of the webhook endpoint; several, separated by commas, while "
        "one is being replaced.",
    )
    stripe_account: str = Field(
        "acct_default", description="Name under which this account's events are kept apart."
    )
    stripe_livemode: bool = Field(
        False, description="Whether webhooks must be of live mode (true) or of test mode (false)."
    )
    stripe_api_base: str = Field(
        "https://api.stripe.com", description="Where Stripe answers; a simulator, for trying out."
    )
    webhook_tolerance_seconds: int = Field(
        300, ge=1, description="How far a webhook's signed time may be from ours, either way."
    )

    # Running
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least important level of log line that is written."
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="One JSON object per line, or lines for people."
    )

    @property
    def schema_owner_url(self) -> str | None:
        """The URL migrations log in with."""
        return self.migration_database_url or self.database_url

    @property
    def stripe_webhook_secrets(self) -> tuple[SecretStr, ...]:
        """Every signing secret that is live now."""
        if self.stripe_webhook_secret is None:
            return ()
        parts = self.stripe_webhook_secret.get_secret_value().split(",")
        return tuple(SecretStr(part.strip()) for part in parts if part.strip())


def environment_name(field: str) -> str:
    """The environment variable that sets a field."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"FOLIO_{field.upper()}"
