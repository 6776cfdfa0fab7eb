"""A signed tree of records that the format forbids is refused too: each rule has its record."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emanet.core.leaf import (
    Decision,
    KeyLeaf,
    KeyOperation,
    Leaf,
    Mode,
    OutcomeLeaf,
    Verdict,
    encode_leaf,
)
from emanet.verify import FaultKind, examine_log
from emanet.verify.sequence import SequenceCheck
from tests.unit.verify.small_log import (
    ORGANIZATION,
    START_US,
    TOKENS,
    SmallLog,
    access,
    good_leaves,
    make_log,
    numbered_id,
    register,
    rules,
)

KEY_ID = "A" * 22


def _decision(*, register_number: int, rule_set: int) -> Decision:
    return Decision(
        verdict=Verdict.ALLOW,
        mode=Mode.ENFORCE,
        why="CASE",
        rules=("A10",),
        register=register_number,
        rule_set=rule_set,
    )


def _key(
    number: int, operation: KeyOperation, *, by: str = TOKENS[0], name: str = "invoice"
) -> Leaf:
    return KeyLeaf(
        id=numbered_id(number),
        organization=ORGANIZATION,
        event_us=START_US + number * 1_000_000,
        receive_us=START_US + number * 1_000_000,
        operation=operation,
        ids=(KEY_ID,),
        by=by,
        retention_class=name,
    )


def _epoch(number: int, *epochs: int) -> Leaf:
    return KeyLeaf(
        id=numbered_id(number),
        organization=ORGANIZATION,
        event_us=START_US + number * 1_000_000,
        receive_us=START_US + number * 1_000_000,
        operation=KeyOperation.EPOCH,
        ids=tuple(map(str, epochs)),
        by="crypto",
    )


def _outcome(number: int, ref: UUID) -> Leaf:
    return OutcomeLeaf(
        id=numbered_id(number),
        organization=ORGANIZATION,
        event_us=START_US + number * 1_000_000,
        receive_us=START_US + number * 1_000_000,
        access=ref,
        item=0,
        why="ENVELOPE_INVALID",
    )


BROKEN: dict[str, tuple[list[Leaf], FaultKind, int]] = {
    "id of an earlier record": ([access(2), access(3, id=numbered_id(2))], FaultKind.ID_TWICE, 3),
    "id of another kind of record": ([access(2, id=numbered_id(0))], FaultKind.ID_TWICE, 2),
    "time falls": (
        [access(2), access(3, receive_us=START_US + 1_999_999)],
        FaultKind.TIME_FALLS,
        3,
    ),
    "another organization": ([access(2, organization="hosting")], FaultKind.ORGANIZATION, 2),
    "register that was never logged": (
        [access(2, decision=_decision(register_number=2, rule_set=1))],
        FaultKind.REGISTER_UNBOUND,
        2,
    ),
    "rule set that was never logged": (
        [access(2, decision=_decision(register_number=1, rule_set=7))],
        FaultKind.RULES_UNBOUND,
        2,
    ),
    "register version left out": ([register(2, version=3)], FaultKind.NUMBER, 2),
    "register version again": ([register(2, version=1)], FaultKind.NUMBER, 2),
    "rule set again": ([rules(2, version=1)], FaultKind.NUMBER, 2),
    "outcome of nothing": ([_outcome(2, numbered_id(99))], FaultKind.OUTCOME_UNKNOWN, 2),
    "outcome of a later access": (
        [_outcome(2, numbered_id(3)), access(3)],
        FaultKind.OUTCOME_UNKNOWN,
        2,
    ),
    "destroyed without intent": ([_key(2, KeyOperation.DESTROYED)], FaultKind.KEY_ORDER, 2),
    "destroyed by somebody else": (
        [
            _key(2, KeyOperation.DESTROY_INTENT),
            _epoch(3, 1),
            _key(4, KeyOperation.DESTROYED, by=TOKENS[1]),
        ],
        FaultKind.KEY_ORDER,
        4,
    ),
    "destroyed in another class": (
        [
            _key(2, KeyOperation.DESTROY_INTENT),
            _epoch(3, 1),
            _key(4, KeyOperation.DESTROYED, name="contract"),
        ],
        FaultKind.KEY_ORDER,
        4,
    ),
    "destroyed before any epoch": (
        [_key(2, KeyOperation.DESTROY_INTENT), _key(3, KeyOperation.DESTROYED), _epoch(4, 1)],
        FaultKind.KEY_ORDER,
        3,
    ),
    "destroyed with an epoch from before": (
        [_epoch(2, 1), _key(3, KeyOperation.DESTROY_INTENT), _key(4, KeyOperation.DESTROYED)],
        FaultKind.KEY_ORDER,
        4,
    ),
    "epoch again": ([_epoch(2, 1), _epoch(3, 1)], FaultKind.NUMBER, 3),
    "epoch below one that ended": ([_epoch(2, 2, 7), _epoch(3, 5, 8)], FaultKind.NUMBER, 3),
}


@pytest.mark.parametrize("case", BROKEN)
def test_record_that_breaks_the_sequence_is_named(tmp_path: Path, case: str) -> None:
    """The tree and the signature are right; the record is refused all the same."""
    leaves, kind, index = BROKEN[case]
    log = make_log([register(0), rules(1), *leaves])
    written = log.write(tmp_path / "log")
    report = examine_log(written, log.vkey)
    assert [(fault.kind, fault.record) for fault in report.faults] == [(kind, index)]
    assert examine_log(written, log.vkey, quick=True).holds


def test_every_kind_of_record_in_order_holds(tmp_path: Path) -> None:
    """Registers, rules, accesses, outcomes and a destruction as they should follow each other."""
    log = make_log(
        [
            register(0),
            rules(1),
            access(2),
            _outcome(3, numbered_id(2)),
            register(4, version=2),
            access(5, decision=_decision(register_number=2, rule_set=1)),
            rules(6, version=4),
            access(7, decision=_decision(register_number=2, rule_set=4)),
            access(8, decision=_decision(register_number=0, rule_set=0)),
            _epoch(9, 1),
            _key(10, KeyOperation.DESTROY_INTENT),
            _epoch(11, 2, 5),
            _key(12, KeyOperation.DESTROYED),
        ]
    )
    assert examine_log(log.write(tmp_path / "log"), log.vkey).holds


@pytest.mark.parametrize(
    "change",
    [
        lambda leaf: leaf.replace(b'"v":1', b'"v":2'),
        lambda leaf: leaf.replace(b'{"act"', b'{ "act"'),
        lambda leaf: leaf[:-1] + b',"x":1}',
        lambda leaf: leaf.replace(b'"t":"access"', b'"t":"fork"'),
        lambda leaf: b"{}",
        lambda leaf: b"\xff\xfe",
        lambda leaf: b"",
    ],
)
def test_record_outside_the_closed_schema_is_named(tmp_path: Path, change) -> None:
    """What a reader could understand in two ways is no record, signed or not."""
    good = make_log(good_leaves(5))
    log = SmallLog(leaves=(*good.leaves[:4], change(good.leaves[4])))
    (fault,) = examine_log(log.write(tmp_path / "log"), log.vkey).faults
    assert (fault.kind, fault.record) == (FaultKind.FORM, 4)


@st.composite
def doubtful_leaves(draw: st.DrawFn) -> list[Leaf]:
    """A short log whose records break rules here and there."""
    kinds = st.sampled_from(["good", "good", "good", "id", "time", "foreign", "unbound", "rules"])
    found: list[Leaf] = [register(0), rules(1)]
    for number in range(2, draw(st.integers(2, 12))):
        earlier = draw(st.integers(0, number - 1))
        match draw(kinds):
            case "id":
                found.append(access(number, id=numbered_id(earlier)))
            case "time":
                found.append(access(number, receive_us=START_US + earlier * 1_000_000))
            case "foreign":
                found.append(access(number, organization="hosting"))
            case "unbound":
                numbers = {"register_number": draw(st.integers(0, 2)), "rule_set": earlier}
                found.append(access(number, decision=_decision(**numbers)))
            case "rules":
                found.append(rules(number, version=number))
            case _:
                found.append(access(number))
    return found


@given(leaves=doubtful_leaves(), cut=st.integers(0, 12))
def test_records_read_together_are_judged_like_records_read_alone(
    leaves: list[Leaf], cut: int
) -> None:
    """However the records are cut into files, the same ones are at fault for the same reasons."""
    records = [encode_leaf(leaf) for leaf in leaves]
    together, cut_once, alone = (SequenceCheck(ORGANIZATION) for _ in range(3))
    faults = together.read(0, records)
    assert faults == cut_once.read(0, records[:cut]) + cut_once.read(cut, records[cut:])
    assert faults == [
        fault for index, each in enumerate(records) for fault in alone.read(index, [each])
    ]
    assert together.counts == cut_once.counts == alone.counts
