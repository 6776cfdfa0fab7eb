from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emanet.core.errors import CallerError, Reason
from emanet.core.identifiers import build_tckn
from emanet.core.strict_yaml import MAX_BYTES, MAX_DEPTH, NodeKind, closest, load, walk


def refusal(text: str) -> tuple[int, str]:
    with pytest.raises(CallerError) as caught:
        load(text, "a.yaml")
    assert caught.value.reason is Reason.MANIFEST_INVALID
    assert caught.value.metadata["source"] == "a.yaml"
    assert caught.value.metadata["problem_tr"]
    return int(caught.value.metadata["line"]), caught.value.metadata["problem"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "stands twice (first in line 1)"),
        ("a:\n  - b: 1\n    b: 2\n", 3, "stands twice"),
        ('a: 1\n"a": 2\n', 2, "stands twice"),
        ("a: &x 1\n", 1, "anchors"),
        ("a: 1\nb: *x\n", 2, "aliases"),
        ("a: &x [*x]\n", 1, "anchors"),
        ("a: 1\nb: !!str 2\n", 2, "tags"),
        ("a: !x {b: 1}\n", 1, "tags"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("%YAML 1.1\n---\na: 1\n", 1, "directives"),
        ("a: 1\n<<: {b: 2}\n", 2, "merge"),
        ("? [a]\n: 1\n", 1, "key must be text"),
        ("~: 1\n", 1, "key must be text"),
        ("a: 1\n  b: 2\n", 2, "not valid YAML"),
        ("a: [1\n", 2, "not valid YAML"),
        ("a:\n\t- 1\n", 2, "not valid YAML"),
        ("a: \u0007\n", 1, "forbids"),
        ("a: \ud800\n", 1, "Unicode"),
        ("", 1, "empty"),
        ("# only words\n", 1, "empty"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), 1, "deeper"),
        ("a" * (MAX_BYTES + 1), 1, "bytes"),
    ],
)
def test_what_yaml_would_guess_is_refused(text: str, line: int, says: str) -> None:
    """Everything that the format leaves to surprise is an error at its line."""
    found_line, problem = refusal(text)
    assert found_line == line
    assert says in problem


def test_the_deepest_allowed_nesting_is_read() -> None:
    """32 levels are read; a bomb of brackets stops at the 33rd without recursion."""
    assert load("[" * MAX_DEPTH + "]" * MAX_DEPTH, "a").kind is NodeKind.SEQUENCE
    assert "deeper" in refusal("[" * 200_000)[1]


@pytest.mark.parametrize(
    "word",
    ["no", "NO", "yes", "on", "Off", "y", "010", "1:30", "0x1F", "1e3", "2026-02-03", "=", ".inf"],
)
def test_text_stays_as_it_stands(word: str) -> None:
    """Norway stays NO, dates and odd numbers stay text until somebody asks for more."""
    assert load(f"a: {word}", "a").mapping()["a"].text() == word


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_only_true_and_false_are_truth_values(text: str, value: bool) -> None:
    """Two words, unquoted; and they are not text."""
    node = load(text, "a")
    assert node.boolean() is value
    with pytest.raises(CallerError, match="quote it"):
        node.text()
    assert load(f'"{text}"', "a").text() == text


@pytest.mark.parametrize("text", ["yes", "True", '"true"', "1", "[true]", "~"])
def test_other_words_are_no_truth_values(text: str) -> None:
    """YAML 1.1's twenty-two spellings are not read."""
    with pytest.raises(CallerError, match="true or false"):
        load(text, "a").boolean()


@pytest.mark.parametrize(
    "text", ["010", "0x1F", "1_000", "1:30", "1.0", "+1", "-0", '"1"', "", "9" * 16, "11"]
)
def test_odd_numbers_are_refused(text: str) -> None:
    """Only plain decimal digits within the bounds are numbers."""
    with pytest.raises(CallerError, match="from 0 to 10"):
        load(f"a: {text}", "a").mapping()["a"].integer(maximum=10)


def test_whole_numbers_are_read() -> None:
    """Bounds are included."""
    assert [load(text, "a").integer(minimum=-5, maximum=7) for text in ("-5", "0", "7")] == [
        -5,
        0,
        7,
    ]


@pytest.mark.parametrize("text", ["a:", "a: ~", "a: null", "a: NULL"])
def test_nothing_is_no_text(text: str) -> None:
    """An empty value is told, not read as the word null."""
    with pytest.raises(CallerError, match="missing"):
        load(text, "a").mapping()["a"].text()
    assert load("a: 'null'", "a").mapping()["a"].text() == "null"


def test_shapes_are_told_apart() -> None:
    """Each getter refuses the other shapes at their line."""
    root = load("a: {b: 1}\nc: [1, 2]\n", "a")
    entries = root.mapping()
    for getter, says in (
        (entries["a"].sequence, "list"),
        (entries["c"].mapping, "mapping"),
        (entries["c"].text, "text"),
    ):
        with pytest.raises(CallerError, match=f"{says} expected"):
            getter()
    assert [node.text() for node in entries["c"].items()] == ["1", "2"]
    assert [node.text() for node in entries["a"].mapping()["b"].items()] == ["1"]


def test_closed_mappings_name_the_near_key() -> None:
    """An unknown key is told at its own line with what was probably meant."""
    root = load("alpha: 1\n\nbetta: 2\n", "a.yaml")
    with pytest.raises(CallerError) as caught:
        root.closed(allowed=["alpha", "beta"])
    assert caught.value.metadata["line"] == "3"
    assert "'beta'" in caught.value.metadata["problem"]
    with pytest.raises(CallerError, match="'gamma' is missing"):
        root.closed(allowed=["alpha", "betta", "gamma"], required=["gamma"])


def test_what_was_pasted_in_the_wrong_place_is_not_told() -> None:
    """Identifiers in keys and words do not reach the error, its metadata or its text (P7)."""
    number = build_tckn("123456789")
    for text in (
        f"{number}: x",
        f"{number}: 1\n{number}: 2",
        f"a: 1\n'{number} ali@example.com': 2",
    ):
        with pytest.raises(CallerError) as refused:
            load(text, "a").closed(allowed=["a"])
        told = f"{refused.value} {dict(refused.value.metadata)}"
        assert number not in told
        assert "ali@example.com" not in told
        assert "<tckn>" in told


def test_values_have_the_line_of_their_key() -> None:
    """A person looks for the key; list items have their own line."""
    root = load("a:\n  b:\n    - x\n    - y: 1\n", "a")
    lines = {path: node.line for path, node in walk(root)}
    assert lines == {"": 1, "a": 1, "a/b": 2, "a/b/0": 3, "a/b/1": 4, "a/b/1/y": 4}
    assert root.mapping()["a"].mapping()["b"].column == 3


def test_closest_finds_misspelt_and_cut_off_words() -> None:
    """Near words and beginnings are offered, far ones are not."""
    assert closest("sifrelme", ["sifreleme", "yedekleme"]) == "sifreleme"
    assert closest("kart", ["kart_bilgisi", "iban"]) == "kart_bilgisi"
    assert closest("zzz", ["sifreleme"]) is None


_json = st.recursive(
    st.text(
        st.characters(
            exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff\ufffe\uffff"
        ),
        max_size=8,
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abcç ", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_json)
def test_quoted_json_reads_as_itself(value: object) -> None:
    """Property: JSON with text only is YAML with the same texts."""
    assert _plain(load(json.dumps({"v": value}, ensure_ascii=False), "a").mapping()["v"]) == value


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    """Property: no input gets out as another exception."""
    with suppress(CallerError):
        assert load(text, "a").line >= 1


def _plain(node):
    if node.kind is NodeKind.MAPPING:
        return {key: _plain(child) for key, child in node.mapping().items()}
    if node.kind is NodeKind.SEQUENCE:
        return [_plain(child) for child in node.sequence()]
    return node.text()
