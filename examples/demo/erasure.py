"""P4: a customer asks for erasure; what consent alone held dies, what tax law protects stays."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from emanet.api.crypto.v1 import keys_pb2, resources_pb2
from emanet.client import Emanet
from emanet.core.checkpoint import parse_vkey
from emanet.core.errors import DestroyedError, EmanetError
from emanet.register.period import ISTANBUL
from emanet.verify import verify_destruction
from examples.demo.attacks import Attempt, Scene
from examples.demo.files import export_log
from examples.demo.houses import House
from examples.demo.installation import wait_for

__all__ = ["Erasure"]

_CUSTOMER = 42
_MARKETING, _INVOICE = "customer.interests", "invoice.address"
_GROUND = keys_pb2.DESTRUCTION_GROUND_SUBJECT_REQUEST
_RECEIPTED = resources_pb2.DESTRUCTION_STATE_RECEIPTED


class Erasure:
    """The request of one customer; `ask` and `prove` apart, since a receipt takes its time."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._house: House = scene.house("hosting")
        self._plan: list[resources_pb2.DestructionItem] = []
        self._id = ""

    def ask(self) -> None:
        """Reads both values, looks at the plan, and destroys."""
        scene, subject = self._scene, f"customers/{_CUSTOMER}"
        scene.expect(self._reads(_MARKETING) and self._reads(_INVOICE), "not readable before")
        with scene.installation.admin(self._house, "dpo") as dpo:
            preview = dpo.keys.destroy_subject(subject, ground=_GROUND, validate_only=True)
            self._plan = list(preview.items)
            scene.expect(self._reads(_MARKETING), "the dry run destroyed something")
            done = dpo.keys.destroy_subject(subject, ground=_GROUND)
        scene.expect(list(done.items) == self._plan, "done is not what was planned")
        self._id = done.name.rpartition("/")[2]

    def prove(self) -> Attempt:
        """Waits for the receipt, verifies it offline, and tries to read both values again."""
        scene = self._scene
        with scene.installation.admin(self._house, "dpo") as dpo:
            wait_for(
                "the receipt of the destruction",
                lambda: dpo.keys.destruction(self._id).state == _RECEIPTED,
            )
            receipt = dpo.keys.destruction(self._id)
        path = scene.installation.var / "destruction-receipt.json"
        path.write_bytes(receipt.receipt)
        evidence = self._verify(path)
        destroyed = self._by(resources_pb2.DESTRUCTION_OUTCOME_DESTROYED)
        kept = self._by(resources_pb2.DESTRUCTION_OUTCOME_KEPT)
        refused = self._by(resources_pb2.DESTRUCTION_OUTCOME_REFUSED)
        scene.expect(evidence == tuple(destroyed), f"the receipt says {evidence}")
        scene.expect(self._error_of(_MARKETING) is DestroyedError, "marketing still opens")
        scene.expect(self._reads(_INVOICE), "the invoice does not open")
        invoice = next((i for i in kept.values() if _INVOICE in i.fields), None)
        scene.expect(invoice is not None, "the invoice is not kept by law")
        scene.expect(any(_MARKETING in i.fields for i in destroyed.values()), "marketing was kept")
        return scene.attempt(
            "P4",
            customer=_CUSTOMER,
            destroyed=", ".join(destroyed),
            kept=", ".join(kept),
            refused=", ".join(refused),
            until=_day(invoice) if invoice else "",
            article=invoice.article if invoice else "",
            keys=receipt.key_count,
            unreadable_from=receipt.unreadable_from.ToDatetime(dt.UTC).date().isoformat(),
            evidence=receipt.evidence,
        )

    def _by(
        self, outcome: resources_pb2.DestructionOutcome.ValueType
    ) -> dict[str, resources_pb2.DestructionItem]:
        return {i.retention_class: i for i in self._plan if i.outcome == outcome}

    def _verify(self, receipt: Path) -> tuple[str, ...]:
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            vkey = export_log(self._scene.installation, self._house, log)
            try:
                key = parse_vkey(vkey.read_text("utf-8").strip())
                return verify_destruction(receipt.read_bytes(), key, directory=log).classes
            except EmanetError as refused:
                return (refused.reason.value,)

    def _reads(self, field: str) -> bool:
        return self._error_of(field) is None

    def _error_of(self, field: str) -> type[EmanetError] | None:
        scene, house = self._scene, self._house
        purpose, group, case = {
            _MARKETING: ("marketing", "pazarlama", "offers"),
            _INVOICE: ("invoicing", "muhasebe", "erasure"),
        }[field]
        token = scene.installation.token(house.people[group][0], client=house.panel)
        (item,) = scene.stores[house.folder].to_open((field,), (_CUSTOMER,))
        client: Emanet = scene.installation.client(house)
        statement = client.reading(purpose=purpose, staff_token=token, case=scene.cases[case])
        try:
            with statement:
                value = client.decrypt(field, item.envelope, record=item.record)
        except EmanetError as refused:
            return type(refused)
        finally:
            client.close()
        scene.expect(value == scene.stores[house.folder].text_of(field, _CUSTOMER), "other text")
        return None


def _day(item: resources_pb2.DestructionItem) -> str:
    """The last day of the period in Türkiye: it ends at midnight, which is the next day's start."""
    end = item.until_time.ToDatetime(dt.UTC) - dt.timedelta(microseconds=1)
    return end.astimezone(ISTANBUL).date().isoformat()
