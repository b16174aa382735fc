"""Settings: what may be set, where it is written down, what stays hidden."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from wiring.env_example import env_example
from wiring.settings import Settings, environment_name

_EXAMPLE = Path(__file__).parents[2] / ".env.example"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine's variables nor its `.env` take part."""
    for field in Settings.model_fields:
        monkeypatch.delenv(environment_name(field), raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_example_file_is_what_the_settings_say() -> None:
    assert _EXAMPLE.read_text() == env_example(), "run: folio env-example > .env.example"


def test_every_setting_says_what_it_means() -> None:
    assert not [name for name, field in Settings.model_fields.items() if not field.description]


def test_nothing_has_to_be_set() -> None:
    settings = Settings()
    assert settings.database_url is None
    assert settings.stripe_webhook_secrets == ()


def test_servers_and_stripe_have_their_customary_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/folio")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_new, whsec_old,")
    monkeypatch.setenv("FOLIO_API_PORT", "9000")

    settings = Settings()

    assert settings.schema_owner_url == "postgresql://somewhere/folio"
    assert settings.api_port == 9000
    secrets = [secret.get_secret_value() for secret in settings.stripe_webhook_secrets]
    assert secrets == ["whsec_new", "whsec_old"]


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    assert Settings().database_url is None


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    shown = repr(
        Settings(
            database_url="postgresql://folio:hunter2@db/folio",
            redis_url="redis://:hunter2@cache/0",
            stripe_secret_key="hunter2",
            key_pepper="hunter2",
        )
    )
    assert "hunter2" not in shown


def test_a_wrong_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLIO_API_PORT", "70000")
    with pytest.raises(ValidationError, match="api_port"):
        Settings()
