"""The fake's own promises: test conveniences, a clock that stands still, nothing left behind."""

from __future__ import annotations

import datetime as dt
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from emanet.client import AccessToRecord, AsyncEmanet, Case, Emanet, errors
from emanet.core.errors import Reason
from emanet.rules.hours import WorkCalendar, parse_work
from emanet.testing import AsyncFakeEmanet, FakeEmanet, RecordedAccess
from emanet.testing.services import _working_time

DATA = Path(__file__).resolve().parents[2] / "data" / "organization"
REGISTER, RULES = DATA / "register.yaml", DATA / "need_to_know.yaml"
ISTANBUL = ZoneInfo("Europe/Istanbul")


@pytest.fixture
def fake() -> FakeEmanet:
    return FakeEmanet.from_files(REGISTER, RULES, organization="menekse", app="panel")


def _mail(fake: FakeEmanet, subject: str = "customers/7", **parts) -> bytes:
    sealed = fake.encrypt(subject=subject, values={"customer.email": "ayse@example.com"}, **parts)
    return sealed["customer.email"].envelope


def test_a_fake_takes_the_place_of_the_real_facade(fake):
    """Code that is annotated with the facades takes the fakes."""
    assert isinstance(fake, Emanet)
    assert isinstance(fake.aio(), AsyncEmanet)
    assert isinstance(fake.aio(), AsyncFakeEmanet)


def test_a_person_and_a_role_stand_for_a_log_in(fake):
    """The role's group is looked up in the rules, as the token's groups claim would carry it."""
    case = fake.put_case("ticket", "T-1", subject="customers/7", opened_by="customer")
    envelope = _mail(fake)
    with fake.reading(person="s-044", role="support", purpose="support", case=case):
        assert fake.decrypt("customer.email", envelope) == "ayse@example.com"
    record = fake.records[-1]
    assert isinstance(record, RecordedAccess)
    assert (record.verdict, record.actor, record.actor_id) == ("allow", "human", "s-044")
    assert (record.case, record.act, record.mode) == (case, "decrypt", "enforce")


def test_code_that_takes_a_token_gets_one(fake):
    """`staff_token` gives what the request of a logged-in person would carry."""
    case = fake.put_case("ticket", "T-1", subject="customers/7", opened_by="customer")
    token = fake.staff_token(person="s-044", role="support")
    with fake.reading(staff_token=token, purpose="support", case=case):
        assert fake.decrypt("customer.email", _mail(fake)) == "ayse@example.com"


def test_a_person_without_a_role_may_nothing(fake):
    """A log-in without groups is a log-in without rights."""
    case = fake.put_case("ticket", "T-1", subject="customers/7", opened_by="customer")
    with (
        fake.reading(person="s-044", purpose="support", case=case),
        pytest.raises(errors.DeniedError, match="ROLE_NOT_ALLOWED"),
    ):
        fake.decrypt("customer.email", _mail(fake))


@pytest.mark.parametrize(
    "actors",
    [
        {"person": "s-044", "role": "conjurer"},
        {"person": "s-044", "role": "robot"},
        {"person": "s-044", "role": "customer"},
        {"person": "s-044", "staff_token": "t"},
        {"role": "support"},
        {"person": "s-044", "as_app": True},
        {},
    ],
)
def test_an_actor_that_cannot_be_is_refused(fake, actors):
    """Roles of applications and of data subjects have no log-in; two actors are one too many."""
    with pytest.raises(errors.CallerError, match="INVALID_FIELD"):
        fake.reading(purpose="support", **actors)


def test_a_case_is_pushed_as_its_owner(fake):
    """One line, whichever application owns the kind; a kind that the rules lack is refused."""
    assert fake.put_case("invoice_run", "F-1") == Case("invoice_run", "F-1")
    with pytest.raises(errors.CallerError, match="INVALID_FIELD"):
        fake.put_case("seance", "1")


def test_the_same_ref_replaces_a_case(fake):
    """Pushing a case again says how it stands now."""
    envelope, now = _mail(fake), fake.clock.now()
    opened = now - dt.timedelta(days=9)
    case = fake.put_case(
        "ticket", "T-1", subject="customers/7", opened_by="customer", opened=opened
    )
    fake.put_case(
        "ticket",
        "T-1",
        subject="customers/7",
        opened_by="customer",
        opened=opened,
        closed=now - dt.timedelta(days=5),
    )
    with (
        fake.reading(person="s-044", role="support", purpose="support", case=case),
        pytest.raises(errors.DeniedError, match="CASE_UNFIT"),
    ):
        fake.decrypt("customer.email", envelope)


def test_a_case_known_only_after_the_access_does_not_count(fake):
    """A reason that arrives later explains nothing (DESIGN section 6, cases)."""
    early = fake.clock.now()
    fake.clock.advance(dt.timedelta(hours=1))
    opened = early - dt.timedelta(hours=1)
    case = fake.put_case(
        "ticket", "T-1", subject="customers/7", opened_by="customer", opened=opened
    )
    with fake.reading(person="s-044", role="support", purpose="support", case=case):
        fake.record_accesses([AccessToRecord(("customer.fax",), ("customers/7",), early)])
    assert (fake.records[-1].verdict, fake.records[-1].reason) == ("deny", "CASE_UNFIT")
    assert fake.records[-1].mode == "observe"


def test_time_passes_when_the_test_says_so(fake):
    """Retention ends when the clock is moved past it, and not a moment before."""
    sealed = fake.encrypt(subject="customers/7", values={"ticket.text": "x"})
    envelope = sealed["ticket.text"].envelope

    def read():
        case = fake.put_case("ticket", "T", subject="customers/7", opened_by="customer")
        with fake.reading(person="s-044", role="support", purpose="support", case=case):
            return fake.decrypt("ticket.text", envelope)

    assert read() == "x"
    fake.clock.advance(dt.timedelta(days=180))
    assert read() == "x"
    fake.clock.advance(dt.timedelta(days=40))
    with pytest.raises(errors.DeniedError, match="RETENTION_ENDED"):
        read()


@pytest.mark.parametrize(
    ("now", "starts"),
    [
        ("2026-03-03T10:15", "2026-03-03T10:15"),
        ("2026-03-03T22:00", "2026-03-04T09:00"),
        ("2026-03-06T22:00", "2026-03-09T09:00"),
        ("2026-10-29T10:00", "2026-10-30T09:00"),
    ],
)
def test_a_fake_starts_in_working_hours(now, starts):
    """A rule with `hours: work` does not make tests fail at night, at week-ends or on holidays."""
    calendar = WorkCalendar(spans=parse_work("Mon-Fri 09:00-18:00"), turkish_holidays=True)
    moment = dt.datetime.fromisoformat(now).replace(tzinfo=ISTANBUL)
    expected = dt.datetime.fromisoformat(starts).replace(tzinfo=ISTANBUL)
    assert _working_time(calendar, moment) == expected
    assert _working_time(None, moment) == moment


def test_a_broken_audit_leaves_nothing_behind(fake):
    """The block ends with an exception too, and then all is as before."""
    envelope = _mail(fake)
    case = fake.put_case("ticket", "T-1", subject="customers/7", opened_by="customer")
    with fake.reading(person="s-044", role="support", purpose="support", case=case):
        with pytest.raises(errors.UnavailableError, match="AUDIT_UNAVAILABLE"), fake.fail_audit():
            fake.decrypt("customer.email", envelope)
        assert fake.records == ()
        with pytest.raises(errors.UnavailableError, match="SERVICE_UNAVAILABLE"), fake.fail_audit():
            fake.record_read(fields=["customer.fax"], subjects=["customers/7"])
        assert fake.decrypt("customer.email", envelope) == "ayse@example.com"


def test_a_destruction_is_named_in_the_error(fake):
    """`DestroyedError.receipt` names what `destroy_subject` returned."""
    sealed = fake.encrypt(subject="customers/7", values={"customer.hobby": "satranç"})
    name = fake.destroy_subject("customers/7")
    with (
        fake.reading(
            person="s-044",
            role="marketer",
            purpose="marketing",
            case=fake.put_case("campaign", "C"),
        ),
        pytest.raises(errors.DestroyedError) as destroyed,
    ):
        fake.decrypt("customer.hobby", sealed["customer.hobby"].envelope)
    assert destroyed.value.receipt == name


def test_applications_share_the_services_and_keep_their_names(fake):
    """A job sees the panel's values, and the record shows who read."""
    sealed = fake.encrypt(subject="customers/7", values={"customer.name": "Ayşe"})
    job = fake.application("invoice-run")
    with job.reading(as_app=True, purpose="invoicing", case=fake.put_case("invoice_run", "F")):
        assert job.decrypt("customer.name", sealed["customer.name"].envelope) == "Ayşe"
    assert (fake.records[-1].application, fake.records[-1].actor_id) == ("invoice-run",) * 2


def test_many_threads_use_one_fake(fake):
    """An application's test may run its own worker threads."""
    envelope = _mail(fake)
    case = fake.put_case("ticket", "T-1", subject="customers/7", opened_by="customer")

    def read(number: int) -> object:
        with fake.reading(person=f"s-{number}", role="support", purpose="support", case=case):
            return fake.decrypt("customer.email", envelope)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(read, range(64))) == {"ayse@example.com"}
    assert len({record.name for record in fake.records}) == 64


def test_records_print_without_people(fake):
    """P7: a failing assertion of a test shows no one's reference."""
    case = fake.put_case("ticket", "secret-ref", subject="customers/secret", opened_by="customer")
    with fake.reading(
        person="secret-person", role="support", purpose="support", case=case, session="secret-s"
    ):
        fake.decrypt("customer.email", _mail(fake, "customers/secret"))
    assert "secret" not in repr(fake.records)


def test_files_of_another_organization_are_refused(tmp_path):
    """A fake never follows the wrong house's rules."""
    with pytest.raises(errors.StateError, match="CONFIG_INVALID"):
        FakeEmanet.from_files(REGISTER, RULES, organization="defne")
    other = tmp_path / "need_to_know.yaml"
    other.write_text(RULES.read_text(encoding="utf-8").replace("menekse", "defne"), "utf-8")
    with pytest.raises(errors.StateError, match="different organizations"):
        FakeEmanet.from_files(REGISTER, other)


def test_a_broken_file_is_told_with_its_line(tmp_path):
    """The same message as from the services: file and line."""
    broken = tmp_path / "register.yaml"
    shutil.copy(REGISTER, broken)
    text = broken.read_text(encoding="utf-8")
    broken.write_text(text.replace("level: none", "level: nothing"), "utf-8")
    with pytest.raises(errors.CallerError, match=r"register\.yaml:\d+") as refused:
        FakeEmanet.from_files(broken, RULES)
    assert refused.value.reason is Reason.MANIFEST_INVALID


def test_a_changed_file_is_read_again(tmp_path):
    """Files are remembered between tests, but never past their change."""
    rules = tmp_path / "need_to_know.yaml"
    rules.write_text(RULES.read_text(encoding="utf-8"), "utf-8")
    assert FakeEmanet.from_files(REGISTER, rules).staff_token(person="s", role="billing")
    text = RULES.read_text(encoding="utf-8").replace("billing", "ledger")
    rules.write_text(text, "utf-8")
    with pytest.raises(errors.CallerError):
        FakeEmanet.from_files(REGISTER, rules).staff_token(person="s", role="billing")


def test_missing_files_are_named(tmp_path):
    """The name of the file, nothing of the machine's folders."""
    with pytest.raises(errors.StateError, match=r"no\.yaml cannot be read") as refused:
        FakeEmanet.from_files(tmp_path / "no.yaml", RULES)
    assert str(tmp_path) not in str(refused.value)


def test_public_names_are_pinned():
    """A name that tests of applications import does not vanish by accident."""
    import emanet.testing

    assert emanet.testing.__all__ == ["AsyncFakeEmanet", "FakeEmanet", "RecordedAccess"]
    with pytest.raises(AttributeError):
        emanet.testing.FakeEverything  # noqa: B018
