"""The five steps of the demo, one function each, on what the steps before have made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from emanet.client import Case
from examples.demo.attacks import Attempt, Scene, kill_the_audit, read_sealed, read_without_purpose
from examples.demo.day import DayResult, Log, push_cases, run_day
from examples.demo.erasure import Erasure
from examples.demo.files import Files, write_files
from examples.demo.houses import HOUSES
from examples.demo.installation import Installation
from examples.demo.inventories import InventoryResult, bring_in
from examples.demo.notable import plan_notable
from examples.demo.plan import CaseBook, DayPlan, plan_day
from examples.demo.search import search_everywhere
from examples.demo.speed import ROUNDS, Speed, measure
from examples.demo.store import CUSTOMERS, Store, fill
from examples.demo.tampering import change_a_record

__all__ = ["Run"]

_FILLED_AT_ONCE = 3


class Run:
    """One run; the steps are called in order."""

    def __init__(self, var: Path) -> None:
        self.installation = Installation(var)
        self.now = dt.datetime.now(dt.UTC)
        self._books = {house.folder: CaseBook(house, now=self.now) for house in HOUSES}
        self._cases = _cases(self._books)
        self._speed_cases = [
            self._books["hosting"].open("invoice_run", series=9100 + turn) for turn in range(ROUNDS)
        ]
        self.stores = {
            house.folder: Store(var / "app" / f"{house.folder}.db", house) for house in HOUSES
        }
        self.plan: DayPlan = plan_day(notable=plan_notable(self._books), books=self._books)
        self._scene = Scene(
            installation=self.installation,
            stores=self.stores,
            cases=self._cases,
            log=Log(self.installation, self._cases),
        )

    def start_services(self) -> None:
        """Step 1: three processes, mTLS, a database each, five organizations."""
        self.installation.prepare()
        self.installation.start()

    def bring_in_inventories(self) -> list[InventoryResult]:
        """Step 2: registers approved, rules active, cases pushed."""
        results = bring_in(self.installation)
        push_cases(self.installation, self.plan)
        return results

    def encrypt_customers(self) -> tuple[int, int]:
        """Step 3: returns the number of customers and of envelopes."""

        def of(folder: str) -> int:
            store = self.stores[folder]
            client = self.installation.client(store.house)
            try:
                return fill(store, client, now=self.now)
            finally:
                client.close()

        with ThreadPoolExecutor(_FILLED_AT_ONCE) as pool:
            envelopes = sum(pool.map(of, self.stores))
        return CUSTOMERS * len(HOUSES), envelopes

    def live_the_day(self) -> DayResult:
        """Step 4: every planned read, then the count from the log."""
        return run_day(self.installation, self.plan, stores=self.stores, log=self._scene.log)

    def try_to_break_it(self) -> tuple[list[Attempt], list[Files], Speed]:
        """Step 5: six attempts; the search comes last, when everything has been written.

        The receipt of the destruction takes its time, so it is asked for first and proven later.
        """
        scene, erasure = self._scene, Erasure(self._scene)
        erasure.ask()
        attempts = {
            attempt.promise: attempt
            for attempt in (
                read_without_purpose(scene),
                read_sealed(scene),
                change_a_record(scene),
                kill_the_audit(scene),
                erasure.prove(),
            )
        }
        speed = measure(scene, self._speed_cases)
        files = write_files(self.installation)
        attempts["P7"] = search_everywhere(scene)
        return [attempts[promise] for promise in sorted(attempts)], files, speed


def _cases(books: Mapping[str, CaseBook]) -> dict[str, Case]:
    """Cases that no read of the day uses: the auditor's by folder, and those of the attempts."""
    hosting = books["hosting"]
    return {
        **{folder: book.open("review", series=9000) for folder, book in books.items()},
        "outage": hosting.open("invoice_run", series=9001),
        "offers": hosting.open("campaign", series=9002),
        "erasure": hosting.open("invoice_run", series=9003),
        "sealed": books["chat-bot"].open("ticket", subjects=("customers/1",)),
    }
