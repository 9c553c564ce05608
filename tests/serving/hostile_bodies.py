"""Hostile bodies of `POST /predict`."""

from __future__ import annotations

import gzip
import json
import zlib

from hostile import JSON, Case, ask, chunked, head, post

_TEXT = "قال الوزير"
_MEBIBYTE = 1024 * 1024


def _predict(
    sent: str, body: bytes, answer: str, says: str = "", *headers: str, content_type: str | None = JSON
) -> Case:
    return Case(sent, "POST /predict", post("/predict", body, *headers, content_type=content_type), answer, says)


def _text(text: str) -> bytes:
    return json.dumps({"text": text}, ensure_ascii=False).encode()


def _documents(*documents: object) -> bytes:
    return json.dumps({"documents": documents}).encode()


_EMPTY_JSON = "not JSON: Expecting value at column 1"
_BOTH_LIES = head("POST /predict", f"Content-Type: {JSON}", "Expect: 100-continue", length=10**12)

SIZES = [
    _predict("an empty body", b"", "400 not-json", _EMPTY_JSON),
    _predict("a body of white space", b" \r\n\t " * 100, "400 not-json", "not JSON: Expecting value at line 101"),
    _predict("9 MiB, declared", b" " * (9 * _MEBIBYTE), "413 too-large", "The body may have 8,388,608 bytes."),
    Case(
        "9 MiB, in chunks",
        "POST /predict",
        ask(
            head("POST /predict", f"Content-Type: {JSON}", "Transfer-Encoding: chunked"),
            chunked(*[b" " * _MEBIBYTE] * 9),
        ),
        "413 too-large",
        "The body may have 8,388,608 bytes.",
    ),
    Case(
        "a terabyte, declared with `Expect: 100-continue`, of which not a byte is sent",
        "POST /predict",
        ask(_BOTH_LIES),
        "413 too-large",
    ),
    _predict(
        "257 documents",
        _documents(*[{"text": "أ"}] * 257),
        "422 invalid-request",
        "documents: 257 documents; a request may have 256",
    ),
    _predict(
        "a million empty documents",
        b'{"documents":[' + b"{}," * 999_999 + b"{}]}",
        "422 invalid-request",
        "documents: 1,000,000 documents; a request may have 256",
    ),
    _predict(
        "a text of 200,001 characters",
        _text("ا" * 200_001),
        "422 invalid-request",
        "text: 200,001 characters; a text may have 200,000",
    ),
    _predict(
        "one of several documents of 200,001 characters",
        _documents({"id": "1", "text": "ا" * 200_001}, {"text": "أ"}),
        "200",
        "documents[0].text",
    ),
    _predict("one word of 200,000 letters", _text("ا" * 200_000), "200"),
    _predict(
        "a field whose name has 100,000 letters",
        b'{"%b":1}' % (b"a" * 100_000),
        "422 invalid-request",
        "a…: unknown field",
    ),
    _predict(
        "a field of 100,000 letters, twice",
        b'{"%b":1,"%b":2}' % (b"a" * 100_000, b"a" * 100_000),
        "400 not-json",
        'a…" comes twice in one object.',
    ),
    _predict("an id of a mebibyte", _documents({"id": "a" * _MEBIBYTE, "text": ""}), "200"),
    _predict("100,000 labels", b'{"text":"","labels":["PER"%b]}' % (b',"PER"' * 99_999), "200"),
]

SYNTAX = [
    _predict("100,000 arrays inside each other", b"[" * 100_000 + b"]" * 100_000, "400 not-json", "nested too deep"),
    _predict(
        "100,000 objects inside each other",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "400 not-json",
        "nested too deep",
    ),
    _predict(
        "500 arrays in the place of a text",
        b'{"text":' + b"[" * 500 + b"]" * 500 + b"}",
        "422 invalid-request",
        "text: not a string",
    ),
    _predict("truncated JSON", b'{"text": "\xd9\x82', "400 not-json", "Unterminated string starting at column 10"),
    _predict("trailing garbage", b'{"text": ""} x', "400 not-json", "Extra data at column 14"),
    _predict("two JSON values", b'{"text": ""}\n{"text": ""}', "400 not-json", "Extra data at line 2, column 1"),
    _predict(
        "a field twice", b'{"text": "a", "text": "b"}', "400 not-json", 'the field "text" comes twice in one object.'
    ),
    _predict(
        "a field twice whose name is half of a surrogate pair",
        rb'{"\ud800": 1, "\ud800": 2}',
        "400 not-json",
        r'the field "\ud800" comes twice',
    ),
    _predict("single quotes", b"{'text': ''}", "400 not-json"),
    _predict("a trailing comma", b'{"text": "",}', "400 not-json"),
    _predict("a comment", b'{"text": ""} // done', "400 not-json"),
    _predict("a raw newline in a string", b'{"text": "a\nb"}', "400 not-json", "Invalid control character"),
    _predict("a raw NUL", b'{"text": "\0"}', "400 not-json", "Invalid control character"),
    _predict("NaN", b'{"text": "", "min_score": NaN}', "400 not-json", "NaN is not a JSON number"),
    _predict("-Infinity", b'{"text": "", "min_score": -Infinity}', "400 not-json", "-Infinity is not a JSON number"),
    _predict(
        "1e400, which is infinite as a float", b'{"text": "", "min_score": 1e400}', "422 invalid-request", "min_score: "
    ),
    _predict(
        "a number of 5,000 digits",
        b'{"text": "", "min_score": %b}' % (b"9" * 5000),
        "400 not-json",
        "a number of thousands of digits",
    ),
    _predict(
        "a number of 4,000 digits",
        b'{"text": "", "min_score": %b}' % (b"9" * 4000),
        "422 invalid-request",
        "min_score: ",
    ),
]

UNICODE = [
    _predict("a byte order mark before the JSON", b"\xef\xbb\xbf" + _text(""), "200"),
    _predict("two byte order marks", b"\xef\xbb\xbf\xef\xbb\xbf" + _text(""), "400 not-json"),
    _predict(
        "UTF-16 with its byte order mark",
        _text(_TEXT).decode().encode("utf-16"),
        "400 not-json",
        "not UTF-8: 0xFF at byte 1",
    ),
    _predict("UTF-16 without one", _text(_TEXT).decode().encode("utf-16-le"), "400 not-json"),
    _predict("UTF-32", _text(_TEXT).decode().encode("utf-32"), "400 not-json", "not UTF-8: 0xFF at byte 1"),
    _predict(
        "Windows-1256", _text(_TEXT).decode().encode("windows-1256"), "400 not-json", "not UTF-8: 0xDE at byte 11"
    ),
    _predict("UTF-8, overlong", b'{"text": "\xc0\xaf"}', "400 not-json", "not UTF-8: 0xC0 at byte 11"),
    _predict("UTF-8, truncated in a letter", b'{"text": "\xd9"}', "400 not-json", "not UTF-8: 0xD9 at byte 11"),
    _predict("a surrogate in UTF-8", b'{"text": "\xed\xa0\x80"}', "400 not-json", "not UTF-8: 0xED at byte 11"),
    _predict(
        "a code point beyond U+10FFFF", b'{"text": "\xf4\x90\x80\x80"}', "400 not-json", "not UTF-8: 0xF4 at byte 11"
    ),
    _predict("half of a surrogate pair, escaped", rb'{"text": "ab\ud83d"}', "422 invalid-request", "text: "),
    _predict("surrogates the wrong way round", rb'{"text": "\ude00\ud83d"}', "422 invalid-request", "text: "),
    _predict("half of a surrogate pair in the name of a field", rb'{"text": "", "\ud800": 1}', "422 invalid-request"),
    _predict(
        "half of a surrogate pair in one of several ids",
        rb'{"documents": [{"id": "\ud800", "text": ""}, {"text": ""}]}',
        "200",
        "documents[0].id",
    ),
    _predict(
        "half of a surrogate pair in the name of one document's field",
        rb'{"documents": [{"text": "", "\ud800": 1}, {"text": ""}]}',
        "200",
        "documents[0]",
    ),
    _predict(
        "NUL, escaped", rb'{"text": "ab\u0000"}', "422 invalid-request", "text: U+0000 at character 3: NUL is not text"
    ),
]

TYPES = [
    _predict("a list", b"[]", "422 invalid-request", "not an object"),
    _predict("a string", b'"text"', "422 invalid-request", "not an object"),
    _predict("null", b"null", "422 invalid-request", "not an object"),
    _predict("nothing asked", b"{}", "422 invalid-request", "give either `text` or `documents`"),
    _predict("a text and documents", b'{"text": "", "documents": []}', "422 invalid-request", "not both"),
    _predict("a number as the text", b'{"text": 5}', "422 invalid-request", "text: not a string"),
    _predict(
        "an object as the documents", b'{"documents": {"text": ""}}', "422 invalid-request", "documents: not a list"
    ),
    _predict(
        "documents that are null, a number, a text",
        b'{"documents": [null, 5, "a"]}',
        "422 invalid-request",
        "documents[2]: not an object",
    ),
    _predict("an unknown field", b'{"text": "", "__proto__": {}}', "422 invalid-request", "__proto__: unknown field"),
    _predict("a score as a string", b'{"text": "", "min_score": "0.5"}', "422 invalid-request", "min_score: "),
    _predict("a score as true", b'{"text": "", "min_score": true}', "422 invalid-request", "min_score: "),
    _predict("a negative score", b'{"text": "", "min_score": -1e-9}', "422 invalid-request", "min_score: "),
    _predict(
        "a label that there is not",
        b'{"text": "", "labels": ["PER", "PERSON"]}',
        "422 invalid-request",
        "labels[1]: not one of PER, ORG, LOC, NUM, NOM",
    ),
    _predict(
        "one id twice",
        _documents({"id": "1", "text": "أ"}, {"id": "1", "text": "ب"}),
        "200",
        "the same as documents[0].id",
    ),
    _predict(
        "offsets in a unit that there is not",
        b'{"text": "", "offsets": "grapheme"}',
        "422 invalid-request",
        "offsets: not one of",
    ),
]

_BOMB = gzip.compress(bytes(64 * _MEBIBYTE), 9)

MEDIA = [
    _predict("no content type", _text(""), "415 unsupported-media-type", "Content-Type is ''", content_type=None),
    _predict(
        "text", _TEXT.encode(), "415 unsupported-media-type", "Content-Type is 'text/plain'", content_type="text/plain"
    ),
    _predict("a form", b"text=a", "415 unsupported-media-type", content_type="application/x-www-form-urlencoded"),
    _predict("a file upload", b"--a\r\n", "415 unsupported-media-type", content_type="multipart/form-data; boundary=a"),
    _predict(
        "another charset",
        _text(""),
        "415 unsupported-media-type",
        "JSON is always UTF-8.",
        content_type=f"{JSON}; charset=windows-1256",
    ),
    _predict(
        "a content type of 8,000 letters",
        b"",
        "415 unsupported-media-type",
        "xx…'; it should be",
        content_type="x" * 8000,
    ),
    _predict("a content type of non-ASCII bytes", b"", "415 unsupported-media-type", content_type="\xff\xfe/\xfd"),
    _predict(
        "a compressed body",
        gzip.compress(_text("")),
        "415 unsupported-media-type",
        "bodies are taken uncompressed only.",
        "Content-Encoding: gzip",
    ),
    _predict(
        f"a gzip bomb: 64 MiB in {len(_BOMB) // 1024} KiB, never inflated",
        _BOMB,
        "415 unsupported-media-type",
        "Content-Encoding is 'gzip'",
        "Content-Encoding: gzip",
    ),
    _predict(
        "codings one upon the other",
        zlib.compress(b""),
        "415 unsupported-media-type",
        "Content-Encoding is 'gzip, deflate, br'",
        "Content-Encoding: gzip, deflate, br",
    ),
    _predict(
        "a gzip body that is declared as JSON only",
        gzip.compress(_text("")),
        "400 not-json",
        "not UTF-8: 0x8B at byte 2",
    ),
]
