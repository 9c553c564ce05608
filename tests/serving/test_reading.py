from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.reading import (
    GROUP_CHARACTERS,
    GROUP_DOCUMENTS,
    MAX_BYTES,
    BadInput,
    InputError,
    InputKind,
    Source,
    check_text,
    decode,
    parse_json,
    read_line,
    read_stream,
)


class Chunks(io.BytesIO):
    """A pipe from which the given pieces arrive one by one."""

    def __init__(self, *pieces: bytes) -> None:
        super().__init__()
        self.pieces = list(pieces)

    def read1(self, size: int | None = -1, /) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


def items(raw: bytes, kind: InputKind = InputKind.AUTO, id: str | None = None) -> list[Source | BadInput]:
    return [item for group in read_stream(io.BytesIO(raw), kind, id) for item in group]


def lines(*values: object) -> bytes:
    return b"".join(json.dumps(value, ensure_ascii=False).encode() + b"\n" for value in values)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"abc\xff", "not UTF-8: 0xFF at byte 4"),
        ("قال".encode("cp1256"), "not UTF-8: 0xDE at byte 1"),
        ("سطر\nآخر ".encode() + b"\xe2\x82", "not UTF-8: 0xE2 at line 2, byte 8"),
        (b"\xed\xa0\x80", "not UTF-8: 0xED at byte 1"),
    ],
)
def test_bytes_that_are_not_utf8_are_placed(raw: bytes, message: str) -> None:
    with pytest.raises(InputError) as error:
        decode(raw)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON: Expecting value at column 1"),
        ('{"text": "قال"', "not JSON: Expecting ',' delimiter at column 15"),
        ('{\n"text": قال}', "not JSON: Expecting value at line 2, column 9"),
        ('{"a": 1, "b": 2, "a": 3}', 'the field "a" comes twice in one object'),
        ("[NaN]", "not JSON: NaN is not a JSON number"),
        ("-Infinity", "not JSON: -Infinity is not a JSON number"),
        ("9" * 5000, "not JSON that can be read: a number of thousands of digits"),
        ("[" * 200_000, "not JSON that can be read: nested too deep"),
    ],
)
def test_json_is_strict(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        parse_json(text)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("قال\0", "U+0000 at character 4: NUL is not text"),
        ("\ud800", "U+D800 at character 1: a lone surrogate is not Unicode text"),
        ("😀\udfff", "U+DFFF at character 2: a lone surrogate is not Unicode text"),
    ],
)
def test_what_is_no_text_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        check_text(text)
    assert str(error.value) == message


def test_any_other_text_passes_unchanged(nasty_text: str) -> None:
    assert check_text(nasty_text) == nasty_text


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ({"text": "قال"}, Source(None, "قال")),
        ({"text": "", "id": "7"}, Source("7", "")),
        ({"text": "قال", "id": 7, "title": "عنوان", "x": None}, Source("7", "قال")),
        ({"text": "قال", "id": None}, Source(None, "قال")),
        ({"text": "😀\r\n\u2028"}, Source(None, "😀\r\n\u2028")),
    ],
)
def test_a_line_is_read(value: object, source: Source) -> None:
    assert read_line(json.dumps(value).encode()) == source


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ('"قال"', "not a JSON object"),
        ('[{"text": "قال"}]', "not a JSON object: give one object a line"),
        ('{"id": "1"}', "text: missing"),
        ('{"text": null}', "text: not a string"),
        ('{"text": ["قال"]}', "text: not a string"),
        ('{"text": "قال\\ud83d"}', "text: U+D83D at character 4: a lone surrogate is not Unicode text"),
        ('{"text": "\\u0000"}', "text: U+0000 at character 1: NUL is not text"),
        ('{"text": "قال", "id": ""}', "id: empty"),
        ('{"text": "قال", "id": 1.5}', "id: not a string or a whole number"),
        ('{"text": "قال", "id": true}', "id: not a string or a whole number"),
        ('{"text": "قال", "id": "\\udc00"}', "id: U+DC00 at character 1: a lone surrogate is not Unicode text"),
        ('{"text": "قال", "text": "لا"}', 'the field "text" comes twice in one object'),
    ],
)
def test_a_bad_line_says_what_is_wrong(raw: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_line(raw.encode())
    assert str(error.value) == message


@pytest.mark.parametrize(
    "raw",
    [
        "أعلن الجيش.\nوقال.\n",
        "{عاجل} أعلن الجيش.",
        "[عاجل] أعلن الجيش.",
        '"أعلن" الجيش',
        "{ 5 }",
        "\ufeffأعلن",
        "\n\n  أعلن\r\n",
    ],
)
def test_plain_text_is_one_document(raw: str) -> None:
    assert items(raw.encode(), id="a.txt") == [Source("a.txt", raw)]


def test_plain_text_keeps_every_code_point(nasty_text: str) -> None:
    assert items(nasty_text.encode(), InputKind.TEXT) == [Source(None, nasty_text)]


@pytest.mark.parametrize("before", ["", "\n \r\n", "\ufeff", "\ufeff\n"])
@pytest.mark.parametrize("first", ['{"text":"قال"}', '  { "text" : "قال"}', '{"text":"قال"}\r'])
def test_an_object_on_the_first_line_means_json_lines(before: str, first: str) -> None:
    assert items(f"{before}{first}\n".encode()) == [Source(None, "قال")]


@pytest.mark.parametrize("raw", [b'{"text": "', b"{", b"[{", b"[\n", b"{}"])
def test_json_that_is_broken_from_the_start_is_not_taken_for_text(raw: bytes) -> None:
    bad = items(raw, id="a.jsonl")
    assert [item.line for item in bad if isinstance(item, BadInput)] == [1]
    assert len(bad) == 1


def test_the_kind_can_be_said() -> None:
    assert items(b'{"text": "a"}', InputKind.TEXT) == [Source(None, '{"text": "a"}')]
    assert items("قال".encode(), InputKind.JSONL) == [BadInput(1, "not JSON: Expecting value at column 1")]


@pytest.mark.parametrize("raw", [b"", b"\n", b" \r\n\n\t"])
def test_white_space_alone_is_a_document_only_as_text(raw: bytes) -> None:
    assert items(raw) == []
    assert items(raw, InputKind.JSONL) == []
    assert items(raw, InputKind.TEXT) == [Source(None, raw.decode())]


def test_bad_lines_are_numbered_and_the_others_read() -> None:
    raw = b'{"text": "1"}\n\n{"text": \n{"text": "4"}\r\n\xff\n{"text": "6"}'
    assert items(raw) == [
        Source(None, "1"),
        BadInput(3, "not JSON: Expecting value at column 10"),
        Source(None, "4"),
        BadInput(5, "not UTF-8: 0xFF at byte 1"),
        Source(None, "6"),
    ]


def test_bad_plain_text_is_placed() -> None:
    assert items(b"a\nb\xff") == [BadInput(None, "not UTF-8: 0xFF at line 2, byte 2")]
    assert items(b"a\0") == [BadInput(None, "U+0000 at character 2: NUL is not text")]


def test_plain_text_over_the_limit_is_refused_without_reading_it_all() -> None:
    stream = io.BytesIO(b"a" * (3 * MAX_BYTES))
    ((item,),) = read_stream(stream, InputKind.TEXT)
    assert item == BadInput(None, "plain text is one document, and this is more than 4 MiB: split it into JSON lines")
    assert stream.tell() < 2 * MAX_BYTES
    assert items(b"a" * MAX_BYTES) == [Source(None, "a" * MAX_BYTES)]


@pytest.mark.parametrize("ending", [b"\n", b""])
def test_a_line_over_the_limit_is_dropped_alone(ending: bytes) -> None:
    long = b'{"text": "' + b"a" * (2 * MAX_BYTES) + b'"}'
    fitting = lines({"text": "a" * (MAX_BYTES - 100)})
    found = items(lines({"text": "1"}) + long + b"\n" + fitting + lines({"text": "4"}) + long + ending)
    assert [item.line for item in found if isinstance(item, BadInput)] == [2, 5]
    assert [len(item.text) for item in found if isinstance(item, Source)] == [1, MAX_BYTES - 100, 1]
    assert found[1] == BadInput(2, "longer than 4 MiB")


def test_groups_are_bounded() -> None:
    raw = lines(*({"text": str(index)} for index in range(2 * GROUP_DOCUMENTS + 1)))
    assert [len(group) for group in read_stream(io.BytesIO(raw))] == [GROUP_DOCUMENTS, GROUP_DOCUMENTS, 1]
    raw = lines(*({"text": "a" * (GROUP_CHARACTERS // 2)} for _ in range(3)))
    assert [len(group) for group in read_stream(io.BytesIO(raw), InputKind.JSONL)] == [2, 1]


def test_lines_are_given_as_they_arrive() -> None:
    stream = Chunks(b'{"te', b'xt": "1"}\n', b'{"text": "2"}\n{"text"', b': "3"}')
    groups = read_stream(stream)
    assert next(groups) == [Source(None, "1")]
    assert stream.pieces == [b'{"text": "2"}\n{"text"', b': "3"}']
    assert next(groups) == [Source(None, "2")]
    assert next(groups) == [Source(None, "3")]


def test_a_stream_is_read_in_constant_memory() -> None:
    line = lines({"text": "قال " * 100})
    given = 0

    class Endless(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            nonlocal given
            given += 1
            return line * 10

    groups: Iterator[list[Source | BadInput]] = read_stream(Endless())
    for _ in range(100):
        next(groups)
    assert given <= 102


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))), st.integers(1, 40))
def test_texts_come_through_any_chunks(texts: list[str], size: int) -> None:
    raw = b"".join(json.dumps({"text": text}, ensure_ascii=False).encode() + b"\n" for text in texts)
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    found = [item for group in read_stream(Chunks(*pieces), InputKind.JSONL) for item in group]
    assert found == [Source(None, text) for text in texts]
