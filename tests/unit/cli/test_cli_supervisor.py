"""What the supervisor decides for its services, before any of them runs."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from emanet.cli.local import LocalRecord
from emanet.cli.supervisor import (
    OWN_SETTINGS,
    LocalInstallation,
    Supervisor,
    _reserve_port,
    find_checkout,
)
from emanet.cli.workspace import SERVICES, Workspace
from emanet.core.errors import EmanetError, Reason

ROOT = Path(__file__).parents[3]
PORTS = {"inventory": 7001, "access_audit": 7002, "crypto": 7003}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "var")


def test_services_see_their_own_settings_and_nothing_of_the_caller(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token or setting in the caller's environment reaches no service by accident."""
    monkeypatch.setenv("EMANET_TOKEN", "secret")
    monkeypatch.setenv("EMANET_RUNTIME_LOG_LEVEL", "debug")
    installation = LocalInstallation(
        workspace=workspace,
        checkout=ROOT,
        settings={"EMANET_CRYPTO_CACHE_PAIRS": "10", "EMANET_RUNTIME_DRAIN_SECONDS": "1"},
    )
    inventory = installation.environment("inventory", ports=PORTS)
    crypto = installation.environment("crypto", ports=PORTS)
    assert "EMANET_TOKEN" not in inventory
    assert "EMANET_RUNTIME_LOG_LEVEL" not in inventory
    assert "EMANET_CRYPTO_CACHE_PAIRS" not in inventory
    assert crypto["EMANET_CRYPTO_CACHE_PAIRS"] == "10"
    assert inventory["EMANET_RUNTIME_DRAIN_SECONDS"] == "1"
    assert set(inventory) >= OWN_SETTINGS


def test_each_service_finds_those_that_it_calls_and_no_others(workspace: Workspace) -> None:
    """Arrows point down: crypto → access_audit → inventory."""
    installation = LocalInstallation(workspace=workspace, checkout=ROOT)
    targets = {
        service: {
            name: value
            for name, value in installation.environment(service, ports=PORTS).items()
            if name.endswith("_TARGET")
        }
        for service in SERVICES
    }
    assert targets == {
        "inventory": {},
        "access_audit": {"EMANET_ACCESS_AUDIT_INVENTORY_TARGET": "127.0.0.1:7001"},
        "crypto": {
            "EMANET_CRYPTO_INVENTORY_TARGET": "127.0.0.1:7001",
            "EMANET_CRYPTO_ACCESS_AUDIT_TARGET": "127.0.0.1:7002",
        },
    }


def test_development_listens_on_loopback_alone(workspace: Workspace) -> None:
    environment = LocalInstallation(workspace=workspace, checkout=ROOT).environment(
        "crypto", ports=PORTS
    )
    assert environment["EMANET_RUNTIME_MODE"] == "dev"
    assert environment["EMANET_RUNTIME_LISTEN"] == "127.0.0.1:7003"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere ports are not held")
def test_a_reserved_port_is_its_services_alone() -> None:
    """A stranger cannot take it, neither before the service listens nor while it is restarted."""
    with _reserve_port() as held:
        address = held.getsockname()
        for _ in range(2):
            with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
                stranger.bind(address)
            with socket.socket() as service, socket.socket() as client:
                service.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                service.bind(address)
                service.listen()
                client.connect(address)


def test_installation_keeps_its_name(workspace: Workspace) -> None:
    """Log origins and token audiences carry the name, so it cannot change over data."""
    LocalRecord.empty("first").save(workspace)
    supervisor = Supervisor(
        LocalInstallation(workspace=workspace, checkout=ROOT, installation="second")
    )
    with pytest.raises(EmanetError) as caught:
        supervisor.prepare()
    assert caught.value.reason is Reason.CONFIG_INVALID
    assert "first" in caught.value.metadata["problem"]


def test_record_round_trips_and_refuses_what_it_did_not_write(workspace: Workspace) -> None:
    """Who is set up where survives; an organization counts when all three services know it."""
    assert LocalRecord.load(workspace) is None
    record = LocalRecord.empty("local").adding("inventory", ["a", "b"]).adding("crypto", ["a"])
    record.adding("access_audit", ["a", "b"]).save(workspace)
    found = LocalRecord.load(workspace)
    assert found is not None
    assert found.everywhere == ("a",)
    assert found.organizations["access_audit"] == {"a", "b"}
    workspace.record.write_text('{"installation": "local"}')
    with pytest.raises(EmanetError):
        LocalRecord.load(workspace)


def test_checkout_is_found_from_any_folder_inside(tmp_path: Path) -> None:
    assert find_checkout(ROOT / "tests" / "unit") == ROOT
    assert find_checkout(tmp_path) == ROOT
