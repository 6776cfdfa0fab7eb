"""Settings: parsed once, unknown names refused, values never shown."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field, ValidationError
from pydantic_settings import SettingsConfigDict

from emanet.core.errors import EmanetError, Reason
from services.runtime.settings import Mode, ServiceSettings, load_settings, render_settings

GOOD = {
    "EMANET_RUNTIME_INSTALLATION": "demo",
    "EMANET_RUNTIME_CERT_FILE": "/c/cert.pem",
    "EMANET_RUNTIME_KEY_FILE": "/c/key.pem",
    "EMANET_RUNTIME_CA_FILE": "/c/ca.pem",
    "EMANET_RUNTIME_PRINCIPALS_FILE": "/c/principals.yaml",
    "EMANET_CRYPTO_AUDIT_TARGET": "ignored-by-inventory",
    "HOME": "/root",
}


class ExampleSettings(ServiceSettings):
    """Settings of a service that does not exist."""

    model_config = SettingsConfigDict(
        env_prefix="EMANET_INVENTORY_", frozen=True, extra="forbid", hide_input_in_errors=True
    )
    service: ClassVar[str] = "inventory"

    page_size: int = Field(default=50, ge=1, description="Items on a page.")


def load(**changes: str) -> ExampleSettings:
    return load_settings(ExampleSettings, GOOD | changes)


def problem_of(**changes: str) -> str:
    with pytest.raises(EmanetError) as raised:
        load(**changes)
    assert raised.value.reason is Reason.CONFIG_INVALID
    return raised.value.metadata["problem"]


def test_defaults_and_folders() -> None:
    settings = load(EMANET_RUNTIME_VAR_DIR="/v")
    assert settings.runtime.mode is Mode.PRODUCTION
    assert settings.page_size == 50
    assert settings.secrets_dir == Path("/v/inventory/secrets")
    assert settings.epochs_dir == Path("/v/inventory/epochs")
    assert settings.state_dir == Path("/v/inventory/state")
    assert settings.database_url == "sqlite:////v/inventory/db/inventory.db"


def test_settings_are_frozen() -> None:
    settings = load()
    with pytest.raises(ValidationError):
        settings.page_size = 7
    with pytest.raises(ValidationError):
        settings.runtime.mode = Mode.DEV


@pytest.mark.parametrize(
    "name", ["EMANET_RUNTIME_MOOD", "EMANET_INVENTORY_PAGESIZE", "EMANET_INVENTORY_RUNTIME"]
)
def test_unknown_name_under_the_own_prefixes_is_refused(name: str) -> None:
    assert name in problem_of(**{name: "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMANET_RUNTIME_MODE", "test"),
        ("EMANET_RUNTIME_INSTALLATION", "Demo"),
        ("EMANET_RUNTIME_INSTALLATION", ""),
        ("EMANET_RUNTIME_LISTEN", "localhost"),
        ("EMANET_RUNTIME_LISTEN", "localhost:70000"),
        ("EMANET_RUNTIME_MAX_DEADLINE_SECONDS", "-7"),
        ("EMANET_RUNTIME_KDF_MEMORY_KIB", "16"),
        ("EMANET_RUNTIME_DATABASE_URL", "no url at all"),
        ("EMANET_INVENTORY_PAGE_SIZE", "many"),
    ],
)
def test_wrong_value_is_refused_without_showing_it(name: str, value: str) -> None:
    problem = problem_of(**{name: value})
    assert name in problem
    assert not value or value not in problem


def test_missing_required_name_is_told() -> None:
    with pytest.raises(EmanetError) as raised:
        load_settings(ExampleSettings, {})
    assert "EMANET_RUNTIME_INSTALLATION" in raised.value.metadata["problem"]


def test_password_in_the_environment_is_refused() -> None:
    """Environments are printed by too many tools; a URL with a password comes from a file."""
    problem = problem_of(EMANET_RUNTIME_DATABASE_URL="postgresql+psycopg://u:planted@h/d")
    assert "planted" not in problem
    assert "DATABASE_URL_FILE" in problem


def test_url_comes_from_its_file_and_is_not_printed(tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_text("postgresql+psycopg://u:planted@h/d\n")
    settings = load(EMANET_RUNTIME_DATABASE_URL_FILE=str(path))
    assert settings.database_url == "postgresql+psycopg://u:planted@h/d"
    assert "planted" not in str(render_settings(settings)) + repr(settings)
    both = problem_of(
        EMANET_RUNTIME_DATABASE_URL_FILE=str(path), EMANET_RUNTIME_DATABASE_URL="sqlite:////x"
    )
    assert "exclude" in both


def test_unreadable_url_file_is_an_unusable_secret(tmp_path: Path) -> None:
    settings = load(EMANET_RUNTIME_DATABASE_URL_FILE=str(tmp_path / "missing"))
    with pytest.raises(EmanetError) as raised:
        _ = settings.database_url
    assert raised.value.reason is Reason.SECRET_UNUSABLE


@pytest.mark.parametrize("listen", ["0.0.0.0:1", "10.0.0.1:1", "example.org:1", "[::]:1"])
def test_dev_mode_listens_on_loopback_only(listen: str) -> None:
    changes = {"EMANET_RUNTIME_MODE": "dev", "EMANET_RUNTIME_LISTEN": listen}
    assert "loopback" in problem_of(**changes)
    load(EMANET_RUNTIME_LISTEN=listen)


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "127.8.0.1:0", "localhost:1", "[::1]:1"])
def test_dev_mode_accepts_loopback(listen: str) -> None:
    load(EMANET_RUNTIME_MODE="dev", EMANET_RUNTIME_LISTEN=listen)


def test_rendered_settings_name_every_setting_once() -> None:
    rendered = render_settings(load())
    assert rendered["EMANET_INVENTORY_PAGE_SIZE"] == "50"
    assert rendered["EMANET_RUNTIME_INSTALLATION"] == "demo"
    assert not any(name.endswith("RUNTIME_RUNTIME") for name in rendered)


def test_process_environment_is_not_read_behind_the_callers_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EMANET_RUNTIME_LOG_LEVEL", "debug")
    assert load().runtime.log_level.value == "info"
    assert load_settings(ExampleSettings, GOOD | {"EMANET_RUNTIME_LOG_LEVEL": "error"})
