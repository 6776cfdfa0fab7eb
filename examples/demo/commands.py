"""Ready-to-paste commands for an installation that the demo leaves running."""

from __future__ import annotations

from pathlib import Path

from examples.demo.houses import ADMINISTRATORS
from examples.demo.plan import DayPlan

__all__ = ["next_commands"]


def next_commands(var: Path, plan: DayPlan, *, shown: str) -> list[str]:
    """What to type next; the token is the auditor's and lives for 15 minutes.

    Args:
        var: the installation's folder, absolute.
        plan: whose cases the auditor may name.
        shown: the folder as it is shortest from here.
    """
    auditor = ADMINISTRATORS["auditor"]
    case = plan.books["hosting"].open("review", series=9000)
    who = f"--person {auditor.id} --group {auditor.groups[0]}"
    log = f"{shown}/log-hosting"
    listing = f"--purpose oversight --case {case.kind}/{case.ref}"
    return [
        f"export EMANET_VAR_DIR={var} EMANET_ORGANIZATION=cinaralti PATH=$PWD/.venv/bin:$PATH",
        f"export EMANET_TOKEN=$(emanet dev token {who})",
        "emanet status",
        f"emanet audit list {listing} --waiting --limit 10",
        f"emanet audit list {listing} --verdict deny --subject customers/7",
        "emanet inventory lint examples/organizations/hosting/published.register.yaml",
        f"emanet verify receipt {shown}/destruction-receipt.json --vkey {log}.vkey --log {log}",
        "emanet down; unset EMANET_VAR_DIR EMANET_ORGANIZATION EMANET_TOKEN",
    ]
