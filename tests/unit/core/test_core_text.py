"""Turkish text, identifiers, masks and the redactor."""

from __future__ import annotations

import importlib.resources
import ipaddress
import re
import unicodedata
from typing import Any

import pytest
import yaml
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban as stdnum_iban
from stdnum import luhn as stdnum_luhn
from stdnum.tr import tckimlik, vkn

from emanet.core import identifiers, text
from emanet.core.errors import CallerError
from emanet.core.mask import HIDDEN, MASKED_TYPES, mask
from emanet.core.redact import REDACTED, scrub, summary

REFERENCE: dict[str, Any] = yaml.safe_load(
    (importlib.resources.files("emanet.register") / "data" / "verbis.yaml").read_text("utf-8")
)
TURKISH = REFERENCE["turkish_text"]
RULES = {rule["code"]: rule for rule in REFERENCE["identifier_rules"]}
nines = st.integers(100_000_000, 999_999_999).map(str)
digits = st.text("0123456789", min_size=1, max_size=20)


def test_the_turkish_vectors_of_the_reference_hold() -> None:
    """Case and folding give what verbis.yaml states."""
    assert [text.lower(given) for given, _ in TURKISH["lower_vectors"]] == [
        want for _, want in TURKISH["lower_vectors"]
    ]
    assert [text.upper(given) for given, _ in TURKISH["upper_vectors"]] == [
        want for _, want in TURKISH["upper_vectors"]
    ]
    assert [text.fold(given) for given, _ in TURKISH["search_key_vectors"]] == [
        want for _, want in TURKISH["search_key_vectors"]
    ]
    for letter, plain in TURKISH["ascii_fold_map"].items():
        assert text.fold(text.upper(letter)) == text.fold(letter) == plain


@given(st.text(TURKISH["alphabet"] + "âîû 0-", max_size=20))
def test_turkish_case_round_trips(word: str) -> None:
    """Every letter of the alphabet comes back from its other case."""
    assert text.lower(text.upper(word)) == word
    assert text.upper(text.lower(text.upper(word))) == text.upper(word)


@given(st.text(max_size=20))
def test_folding_is_stable_and_ignores_normal_forms(word: str) -> None:
    """Folding twice changes nothing, and composed and decomposed spellings are one."""
    assert text.label_key(text.label_key(word)) == text.label_key(word)
    decomposed = unicodedata.normalize("NFD", word)
    assert text.fold(decomposed) == text.fold(unicodedata.normalize("NFC", word))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Mekan", "MEKÂN"),
        ("Ceza Mahkûmiyeti Ve Güvenlik Tedbirleri", "ceza mahkumiyeti/ve  güvenlik tedbirleri"),
        ("  Kimlik ", "KİMLİK"),
        ("I. Kısım", "ı kısım"),
    ],
)
def test_spellings_of_one_label_have_one_key(one: str, two: str) -> None:
    """Case, circumflex, punctuation and spaces do not tell labels apart."""
    assert text.label_key(one) == text.label_key(two)


def test_labels_of_the_reference_have_keys_of_their_own() -> None:
    """Two different labels of one list never share a key."""
    for name in ("data_categories", "data_types", "processing_purposes", "measures"):
        labels = {item["tr"] for item in REFERENCE[name]}
        assert len({text.label_key(label) for label in labels}) == len(labels), name


CHECKS = {
    "tckn": identifiers.is_tckn,
    "vkn": identifiers.is_vkn,
    "iban_tr": identifiers.is_turkish_iban,
    "phone_tr": lambda value: (
        re.fullmatch(RULES["phone_tr"]["pattern"], value) is not None and identifiers.is_e164(value)
    ),
    "luhn": identifiers.is_card_number,
}


@pytest.mark.parametrize("code", CHECKS)
def test_the_identifier_examples_of_the_reference_hold(code: str) -> None:
    """Valid examples pass, invalid ones do not."""
    assert all(map(CHECKS[code], RULES[code]["valid_examples"]))
    assert not any(map(CHECKS[code], RULES[code]["invalid_examples"]))


@given(nines, st.text("0123456789", min_size=11, max_size=11))
def test_identity_numbers_agree_with_stdnum(first_nine: str, random: str) -> None:
    """Built numbers are valid, and any eleven digits are judged as python-stdnum judges them."""
    built = identifiers.build_tckn(first_nine)
    assert identifiers.is_tckn(built)
    assert tckimlik.is_valid(built)
    assert identifiers.is_tckn(random) == tckimlik.is_valid(random)


@given(st.text("0123456789", min_size=10, max_size=10))
def test_tax_numbers_agree_with_stdnum(number: str) -> None:
    """Any ten digits are judged as python-stdnum judges them."""
    assert identifiers.is_vkn(number) == vkn.is_valid(number)


@given(digits)
def test_luhn_agrees_with_stdnum(number: str) -> None:
    """Check digit and check agree with python-stdnum."""
    assert identifiers.is_luhn(number) == stdnum_luhn.is_valid(number)
    assert identifiers.luhn_digit(number) == stdnum_luhn.calc_check_digit(number)
    assert identifiers.is_luhn(number + identifiers.luhn_digit(number))


@given(st.from_regex(r"[0-9]{5}0[0-9]{16}", fullmatch=True), st.integers(0, 99))
def test_ibans_agree_with_stdnum(account: str, wrong: int) -> None:
    """Check digits are those of python-stdnum, and no others pass."""
    right = identifiers.iban_check_digits("TR", account)
    iban = f"TR{right}{account}"
    assert identifiers.is_turkish_iban(iban)
    assert stdnum_iban.is_valid(iban)
    assert identifiers.is_iban(f"TR{wrong:02d}{account}") == (wrong % 97 == int(right) % 97)


@given(
    st.from_regex(r"[2-58][0-9]{9}", fullmatch=True),
    st.sampled_from(["{}", "0{}", "90{}", "+90{}", "0090{}", "0 ({})"]),
    st.booleans(),
)
def test_turkish_phones_have_one_e164_form(number: str, form: str, spaced: bool) -> None:
    """Every way of writing a number gives the same +90 text."""
    written = f"{number[:3]} {number[3:6]}-{number[6:8]} {number[8:]}" if spaced else number
    assert identifiers.parse_turkish_phone(form.format(written)) == f"+90{number}"
    assert identifiers.is_e164(f"+90{number}")
    assert identifiers.is_turkish_mobile(f"+90{number}") == number.startswith("5")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "444 12 34",
        "+49 30 123456",
        "0532 123 45 6",
        "0132 123 45 67",
        "٠٥٣٢١٢٣٤٥٦٧",
        "0532123456x",
    ],
)
def test_other_numbers_are_not_turkish_phones(value: str) -> None:
    """Foreign, short and seven-digit numbers have no +90 form."""
    with pytest.raises(CallerError):
        identifiers.parse_turkish_phone(value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: identifiers.build_tckn("012345678"),
        lambda: identifiers.build_tckn("12345678"),
        lambda: identifiers.luhn_digit(""),
        lambda: identifiers.iban_check_digits("tr", "1"),
    ],
)
def test_check_digits_are_not_made_for_impossible_parts(call: Any) -> None:
    """Parts that cannot form an identifier are the caller's error."""
    with pytest.raises(CallerError):
        call()


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("tckn", "10000000146", "*********46"),
        ("ykn", "99000000042", "*********42"),
        ("ad_soyad", "Ayşe Yılmaz", "A*** Y*****"),
        ("ad_soyad", "Su", "S*"),
        ("ad_soyad", "A", "*"),
        ("e_posta", "ayse@ornek.com", "a***@o****.com"),
        ("e_posta", "a@b.com.tr", "*@*.***.tr"),
        ("e_posta", "çiğdem@örnek.com", "ç*****@ö****.com"),
        ("cep_telefonu", "0532 123 45 67", "+90 5** *** ** 67"),
        ("ip_adresi", "203.0.113.9", "203.0.113.*"),
        ("ip_adresi", "2001:db8:1:2::3", "2001:db8:1:*"),
        ("ip_adresi", "::ffff:203.0.113.9", "203.0.113.*"),
        ("kart_bilgisi", "4111 1111 1111 1234", "**** **** **** 1234"),
        ("iban", "TR33 0006 1005 1978 6457 8413 26", "TR** **** **** **** **** **13 26"),
        ("pasaport_no", "U1234567", "U*******"),
        ("dogum_tarihi", "1990-05-12", "**.**.1990"),
        ("dogum_tarihi", "12.05.1990", "**.**.1990"),
        ("adres", "Çınar Sok. 5", HIDDEN),
        ("unknown", "x", HIDDEN),
        ("tckn", "", HIDDEN),
        ("tckn", "1000000014", HIDDEN),
        ("e_posta", "no address", HIDDEN),
        ("e_posta", "a@localhost", HIDDEN),
        ("cep_telefonu", "444 12 34", HIDDEN),
        ("ip_adresi", "203.0.113.9 GET /x", HIDDEN),
        ("ad_soyad", "12 Ali", HIDDEN),
    ],
)
def test_masks_show_what_they_may(kind: str, value: str, shown: str) -> None:
    """The examples of verbis.yaml, short values, and values that are not of their type's form."""
    assert mask(kind, value) == shown


@given(
    st.sampled_from(sorted(MASKED_TYPES | {"adres"})),
    st.text(max_size=40)
    | st.emails()
    | nines.map(identifiers.build_tckn)
    | st.ip_addresses().map(str)
    | digits,
)
def test_masks_never_show_a_whole_value(kind: str, value: str) -> None:
    """Whatever the value, a star stands in it and the value does not."""
    shown = mask(kind, value)
    assert "*" in shown
    if value.strip("* \t") and kind != "ip_adresi":
        assert value.strip() not in shown or value.strip() in HIDDEN + "@."


@given(
    st.text(st.characters(categories=["L"]), min_size=1, max_size=12),
    st.text(st.characters(categories=["L"]), min_size=1, max_size=12),
)
def test_name_masks_show_at_most_the_first_letters(first: str, last: str) -> None:
    """Of two words no more than two letters are left."""
    shown = mask("ad_soyad", unicodedata.normalize("NFC", f"{first} {last}"))
    assert len(re.sub(r"[* ]", "", shown)) <= 2


@given(nines)
def test_identity_number_masks_show_two_digits(first_nine: str) -> None:
    """The first nine digits, from which the rest could be computed, are never shown."""
    number = identifiers.build_tckn(first_nine)
    assert mask("tckn", number) == "*" * 9 + number[-2:]


mobiles = st.from_regex(r"5[0-9]{9}", fullmatch=True)
PLANTED = {
    "tckn": nines.map(identifiers.build_tckn),
    "spaced tckn": nines.map(identifiers.build_tckn).map(
        lambda n: f"{n[:3]} {n[3:6]} {n[6:9]} {n[9:]}"
    ),
    "mobile": mobiles,
    "local mobile": mobiles.map(lambda n: f"0{n}"),
    "spaced mobile": mobiles.map(lambda n: f"0 ({n[:3]}) {n[3:6]} {n[6:8]} {n[8:]}"),
    "international mobile": mobiles.map(lambda n: f"+90{n}"),
    "bare country code": mobiles.map(lambda n: f"90{n}"),
    "foreign phone": st.from_regex(r"\+[1-8][0-9]{7,13}", fullmatch=True),
    "email": st.from_regex(
        r"[a-zçğıöşü]{2,9}\.?[a-z0-9]{1,9}@[a-zö]{2,9}\.com(\.tr)?", fullmatch=True
    ),
    "ipv4": st.ip_addresses(v=4)
    .filter(lambda ip: not ip.is_loopback and not ip.is_unspecified)
    .map(str),
    "ipv6": st.ip_addresses(v=6)
    .filter(lambda ip: not ip.is_loopback and not ip.is_unspecified)
    .map(lambda ip: ip.exploded),
    "card": st.from_regex(r"4[0-9]{14}", fullmatch=True).map(
        lambda n: n + identifiers.luhn_digit(n)
    ),
    "spaced card": st.from_regex(r"5[0-9]{14}", fullmatch=True)
    .map(lambda n: n + identifiers.luhn_digit(n))
    .map(lambda n: f"{n[:4]} {n[4:8]} {n[8:12]} {n[12:]}"),
    "iban": st.from_regex(r"[0-9]{5}0[0-9]{16}", fullmatch=True).map(
        lambda n: f"TR{identifiers.iban_check_digits('TR', n)}{n}"
    ),
}


@pytest.mark.parametrize("kind", PLANTED)
@given(
    data=st.data(),
    before=st.sampled_from(["", "value=", "tel: ", "(", "müşteri ", "'", "x@", ","]),
    after=st.sampled_from(["", ".", ")", ", ", " kaldı", "'", "\n", ":"]),
)
def test_scrubbing_removes_every_planted_value(
    kind: str, data: st.DataObject, before: str, after: str
) -> None:
    """Whatever stands around it, an identifier does not survive."""
    value = data.draw(PLANTED[kind])
    assert value not in scrub(f"{before}{value}{after}")


@pytest.mark.parametrize(
    "line",
    [
        "log.committed size=1204 duration_ms=3.2 at=2026-11-21T10:59:12.123456Z",
        "id=01a0c450-6c00-7830-af61-612801234567",
        "id=12345678-1234-7123-8123-123456789012",
        "digest=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "listening 127.0.0.1:50051 [::1]:50052 0.0.0.0:1",
        "organizations/cinaralti/registerVersions/12",
        "spiffe://demo/service/crypto",
        "time 10:59:12",
        "micros 1790000000000001",
        "epoch 1790000000",
        "emanet/demo/cinaralti/1+530d903a",
    ],
)
def test_scrubbing_leaves_operational_lines_alone(line: str) -> None:
    """Names, ids, digests, times and loopback addresses stay readable."""
    assert scrub(line) == line


@given(st.text(max_size=80))
def test_scrubbing_is_stable(line: str) -> None:
    """A scrubbed line is not scrubbed further into something else."""
    assert scrub(scrub(line)) == scrub(line)


def redacting_class() -> type[Message]:
    """A message with every kind of field beside one that is marked debug_redact."""
    proto = descriptor_pb2.FileDescriptorProto(
        name="core_redact.proto", package="t", syntax="proto3"
    )
    proto.enum_type.add(name="E").value.add(name="E_UNSPECIFIED", number=0)
    proto.enum_type[0].value.add(name="E_ONE", number=1)
    message = proto.message_type.add(name="M")
    kinds = descriptor_pb2.FieldDescriptorProto
    fields: tuple[tuple[str, int, int, bool, str], ...] = (
        ("secret", kinds.TYPE_STRING, kinds.LABEL_OPTIONAL, True, ""),
        ("secrets", kinds.TYPE_STRING, kinds.LABEL_REPEATED, True, ""),
        ("inner_secret", kinds.TYPE_MESSAGE, kinds.LABEL_OPTIONAL, True, ".t.M"),
        ("number_secret", kinds.TYPE_INT64, kinds.LABEL_OPTIONAL, True, ""),
        ("name", kinds.TYPE_STRING, kinds.LABEL_OPTIONAL, False, ""),
        ("inner", kinds.TYPE_MESSAGE, kinds.LABEL_OPTIONAL, False, ".t.M"),
        ("many", kinds.TYPE_MESSAGE, kinds.LABEL_REPEATED, False, ".t.M"),
        ("data", kinds.TYPE_BYTES, kinds.LABEL_OPTIONAL, False, ""),
        ("kind", kinds.TYPE_ENUM, kinds.LABEL_OPTIONAL, False, ".t.E"),
        ("count", kinds.TYPE_INT64, kinds.LABEL_OPTIONAL, False, ""),
        ("flags", kinds.TYPE_BOOL, kinds.LABEL_REPEATED, False, ""),
    )
    for number, (name, kind, label, redact, type_name) in enumerate(fields, start=1):
        field = message.field.add(
            name=name, number=number, type=kind, label=label, type_name=type_name or None
        )
        field.options.debug_redact = redact
    pool = descriptor_pool.DescriptorPool()
    pool.Add(proto)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.M"))


REDACTING: Any = redacting_class()


def test_summaries_hide_every_marked_field_at_every_depth() -> None:
    """A field marked debug_redact never shows, whether text, number, list or message."""
    planted = "GIZLI-VALUE"
    inner = REDACTING(secret=planted, secrets=[planted], name="inner", number_secret=4242424242)
    message = REDACTING(
        secret=planted,
        secrets=[planted] * 3,
        inner_secret=REDACTING(name=planted),
        inner=inner,
        many=[inner] * 9,
        data=planted.encode(),
        kind=1,
        count=7,
        flags=[True],
        name="organizations/cinaralti",
    )
    shown = summary(message)
    assert planted not in shown
    assert "4242424242" not in shown
    for part in (
        "organizations/cinaralti",
        f"secret={REDACTED}",
        "data=<11 bytes>",
        "kind=E_ONE",
        "count=7",
        "9 in all",
        "flags=[True]",
    ):
        assert part in shown


@given(st.sampled_from(sorted(PLANTED)), st.data())
def test_summaries_scrub_texts_that_nobody_marked(kind: str, data: st.DataObject) -> None:
    """An identifier in an unmarked text does not show either, at any depth."""
    value = data.draw(PLANTED[kind])
    violation = error_details_pb2.BadRequest.FieldViolation(field="f", description=f"not {value}!")
    status = status_pb2.Status(code=3, message=f"wrong: {value}", details=[any_pb2.Any()])
    status.details[0].Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    for message in (error_details_pb2.BadRequest(field_violations=[violation]), status):
        assert value not in summary(message)


def test_summaries_are_bounded() -> None:
    """Long texts, deep nesting and large messages stay one short line."""
    deep = REDACTING(name="x" * 500)
    for _ in range(50):
        deep = REDACTING(inner=deep, many=[deep] * 3)
        if deep.ByteSize() > 100_000:
            break
    shown = summary(deep)
    assert len(shown) <= 2_001
    assert "\n" not in shown
    assert len(summary(REDACTING(name="x" * 500))) < 200
    assert summary(REDACTING(kind=77)) == "M{kind=77}"
    assert (
        summary(error_details_pb2.ErrorInfo(metadata={"a": "b"})) == "ErrorInfo{metadata=<1 pairs>}"
    )
    assert summary(timestamp_pb2.Timestamp(seconds=5)) == "Timestamp{seconds=5}"


def test_ip_masks_hide_the_host_part() -> None:
    """The last octet and the last five groups are never shown."""
    for address in (
        ipaddress.ip_address("198.51.100.77"),
        ipaddress.ip_address("2001:db8:aaaa:bbbb::77"),
    ):
        shown = mask("ip_adresi", str(address))
        assert "77" not in shown
        assert "bbbb" not in shown
