"""docs/configuration.md says what the settings say."""

from __future__ import annotations

from pathlib import Path

from services.access_audit.config import AccessAuditSettings
from services.crypto.config import CryptoSettings
from services.inventory.config import InventorySettings
from services.runtime.configuration import render_configuration
from services.runtime.settings import RuntimeSettings

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
SETTINGS = (InventorySettings, AccessAuditSettings, CryptoSettings)


def test_page_is_what_the_settings_render() -> None:
    """`make docs` was run after the last change of a setting."""
    assert PAGE.read_text("utf-8") == render_configuration(SETTINGS)


def test_every_setting_says_what_it_means() -> None:
    for settings in (RuntimeSettings, *SETTINGS):
        for name, info in settings.model_fields.items():
            assert info.description, f"{settings.__name__}.{name}"
