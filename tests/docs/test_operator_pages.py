"""What the operator's pages show is what the programs read."""

from __future__ import annotations

import json
from pathlib import Path

from joserfc.jwk import OKPKey

from emanet.client.channel import Endpoints, ServiceName
from services.runtime.authorisation import Duty
from services.runtime.principals import load_principals
from services.runtime.settings import Mode
from tests.docs.blocks import CHECKOUT, blocks_of


def test_the_principals_file_of_the_page_is_read(tmp_path: Path) -> None:
    """Every key that the page shows exists, and every duty is named."""
    page = CHECKOUT / "docs" / "principals.md"
    (block,) = (each for each in blocks_of(page) if each.purpose == "principals")
    (tmp_path / "principals.yaml").write_text(block.text, encoding="utf-8")
    key = OKPKey.generate_key("Ed25519", {"kid": "1"}).as_dict(private=False)
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [key]}), encoding="utf-8")
    path = tmp_path / "principals.yaml"
    principals, watched = load_principals(path, mode=Mode.PRODUCTION, generation=1)
    assert watched == (path, tmp_path / "jwks.json")
    assert principals.person_id("https://giris.cinaralti.example", "b7c2-admin") == "s-002"
    assert set(principals.duties["cinaralti"]) == set(Duty)


def test_the_endpoints_file_of_the_page_is_read(tmp_path: Path) -> None:
    """An application finds the services of the compose file, each under its published port."""
    page = CHECKOUT / "docs" / "deployment.md"
    (block,) = (each for each in blocks_of(page) if each.purpose == "endpoints")
    (tmp_path / "endpoints.json").write_text(block.text, encoding="utf-8")
    endpoints = Endpoints.from_file(tmp_path / "endpoints.json")
    compose = (CHECKOUT / "deploy" / "docker-compose.yml").read_text(encoding="utf-8")
    for service in ServiceName:
        assert f"{endpoints.target(service)}:8443" in compose
