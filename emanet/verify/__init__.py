"""Offline verification of logs and receipts; needs `emanet[verify]`, no network, no server."""

from emanet.verify.faults import Fault, FaultKind
from emanet.verify.log import LogReport, examine_log, verify_log
from emanet.verify.receipt import ReceiptEvidence, verify_receipt

__all__ = [
    "Fault",
    "FaultKind",
    "LogReport",
    "ReceiptEvidence",
    "examine_log",
    "verify_log",
    "verify_receipt",
]
