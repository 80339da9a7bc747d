from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml import YAMLError

from snapaudit.codec import yaml
from snapaudit.codec.yaml import MAX_BYTES, MAX_DEPTH, Node, parse_yaml, read_yaml
from snapaudit.errors import InputError


def _children(text: str) -> dict[str, Node]:
    value = parse_yaml(text, "f.yaml").value
    assert isinstance(value, dict)
    return value


def _fault(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "f.yaml")
    return str(caught.value)


def test_every_node_knows_its_place_and_that_of_its_key() -> None:
    levels = _children("a: 1\nlevels:\n    warning:  24h\n")["levels"]
    assert isinstance(levels.value, dict)
    warning = levels.value["warning"]
    assert str(levels.key_place) == "f.yaml:2:1"
    assert str(warning.key_place) == "f.yaml:3:5"
    assert str(warning.place) == "f.yaml:3:15"


def test_place_counts_characters_and_not_bytes() -> None:
    assert str(_children("{ä: ö, b: c}")["b"].place) == "f.yaml:1:11"


def test_list_items_know_their_places() -> None:
    items = _children("a:\n  - x\n  - y\n")["a"].value
    assert isinstance(items, tuple)
    assert [str(item.place) for item in items] == ["f.yaml:2:5", "f.yaml:3:5"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30:45", "12:30:45"),
        ("2026-06-01", "2026-06-01"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("007", 7),
        ("-3", -3),
        ("1.5", 1.5),
        (".inf", ".inf"),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("'true'", "true"),
        ('"12"', "12"),
        ("'~'", "~"),
        ("٣", "٣"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written: str, value: object) -> None:
    read = _children(f"a: {written}\n")["a"].value
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key 'a' stands twice, first in line 1"),
        ("a: {b: 1, 'b': 2}\n", "f.yaml:1:11: the key 'b' stands twice, first in line 1"),
        ("a: &x 1\n", "f.yaml:1:4: anchors (&name) are not accepted; write the value out"),
        ("a: *x\n", "f.yaml:1:4: aliases (*name) are not accepted; write the value out"),
        ("a: 1\n<<: *x\n", "f.yaml:2:5: aliases (*name) are not accepted; write the value out"),
        ("a: !!str 1\n", "f.yaml:1:4: tags (!name) are not accepted; plain values only"),
        ("a: !x [1]\n", "f.yaml:1:4: tags (!name) are not accepted; plain values only"),
        ("a: !x!y 1\n", "f.yaml:1:4: tags (!name) are not accepted; plain values only"),
        ("? [a]\n: 1\n", "f.yaml:1:3: a key must be a word"),
        ("", "f.yaml: is empty"),
        ("# nothing\n", "f.yaml: is empty"),
        ("a: [1, 2\n", "f.yaml:2:1: while parsing a flow sequence, expected ',' or ']'"),
        ("a: b: c\n", "f.yaml:1:5: mapping values are not allowed here"),
        ("a:\n\t- b\n", "f.yaml:2:1: while scanning for the next token, found character '\\t'"),
        ("a: \x07\n", "f.yaml: holds a character YAML does not allow"),
        ('a: "\\UFFFFFFFF"\n', "f.yaml: holds a number or an escape (\\U...) that is out of range"),
        ('a: "\\U00110000"\n', "f.yaml: holds a number or an escape (\\U...) that is out of range"),
    ],
)
def test_what_no_configuration_needs_is_refused_at_its_place(text: str, said: str) -> None:
    assert _fault(text).startswith(said)


def test_second_document_is_refused() -> None:
    assert _fault("a: 1\n---\nb: 2\n").startswith("f.yaml:2:1: expected a single document")


@pytest.mark.parametrize("unit", ["[", "{a: ", "- "])
def test_nesting_has_a_limit(unit: str) -> None:
    said = _fault(unit * (MAX_DEPTH + 1))
    assert said.endswith(f"is nested deeper than {MAX_DEPTH} levels")
    assert said.startswith(f"f.yaml:1:{len(unit) * MAX_DEPTH + 1}: ")


def test_nesting_up_to_the_limit_is_read() -> None:
    assert parse_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, "f.yaml").value


def test_file_above_the_size_limit_is_refused_and_one_at_it_read(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"a: 1\n#" + b"x" * (MAX_BYTES - 6))
    assert isinstance(read_yaml(path).value, dict)
    path.write_bytes(b"a: 1\n#" + b"x" * (MAX_BYTES - 5))
    with pytest.raises(InputError, match=r"f\.yaml: is larger than 128 KiB"):
        read_yaml(path)


def test_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(InputError, match="is larger than 128 KiB"):
        read_yaml(Path("/dev/zero"))


def test_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfversion: 1\r\n")
    value = read_yaml(path).value
    assert isinstance(value, dict)
    assert list(value) == ["version"]


@pytest.mark.parametrize(
    ("content", "at"), [(b"a: \xff", 3), (b"\xff\xfea\x00:\x00", 0), (b"a: \xed\xa0\x80", 3)]
)
def test_file_that_is_not_utf_8_is_refused(tmp_path: Path, content: bytes, at: int) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"is not UTF-8 \(byte {at}\)"):
        read_yaml(path)


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_yaml(tmp_path)
    with pytest.raises(InputError, match=r"gone\.yaml: cannot be read: No such file"):
        read_yaml(tmp_path / "gone.yaml")


def test_pipe_is_read_like_a_file() -> None:
    ours, theirs = os.pipe()
    os.write(theirs, b"a: 1\n")
    os.close(theirs)
    try:
        assert isinstance(read_yaml(Path(f"/dev/fd/{ours}")).value, dict)
    finally:
        os.close(ours)


_ROOT = Path(__file__).parents[2]
_SHIPPED = sorted((*_ROOT.glob("rules/*.yaml"), *_ROOT.glob("snapaudit/**/*.yaml")))


@pytest.mark.parametrize("path", _SHIPPED, ids=lambda path: path.stem)
def test_the_fast_parser_reads_what_the_careful_one_reads_at_the_same_places(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert yaml._parsed(text, "f", yaml._FAST) == yaml._parsed(text, "f", yaml._CAREFUL)


_BITS = st.sampled_from(
    (*"abé- :,[]{}'\"#|>&*!%@`?~\n\t", "\n  ", ": ", "- ", "1", "12:30", "null", "yes", "\u2028")
)


@given(st.lists(_BITS, max_size=24).map("".join))
def test_where_both_parsers_understand_a_text_they_understand_the_same(text: str) -> None:
    answers = [_answer(text, loader) for loader in (yaml._FAST, yaml._CAREFUL)]
    if None not in answers:
        assert answers[0] == answers[1]


def _answer(text: str, loader: object) -> object:
    try:
        return yaml._parsed(text, "f", loader)
    except (YAMLError, ValueError):
        return None
    except InputError as error:
        return str(error)
