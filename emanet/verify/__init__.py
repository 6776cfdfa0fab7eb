"""Offline verification of logs and receipts; needs `emanet[verify]`, no network, no server."""

from emanet.verify.destruction import DestructionEvidence, verify_destruction
from emanet.verify.faults import Fault, FaultKind
from emanet.verify.log import LogReport, examine_log, verify_log
from emanet.verify.receipt import ReceiptEvidence, verify_receipt

__all__ = [
    "DestructionEvidence",
    "Fault",
    "FaultKind",
    "LogReport",
    "ReceiptEvidence",
    "examine_log",
    "verify_destruction",
    "verify_log",
    "verify_receipt",
]
