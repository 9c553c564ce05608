from __future__ import annotations

import json

import pytest
from fake_extractor import FakeExtractor

from serving.ndjson import json_line, ndjson


def test_each_value_is_a_line_for_every_reader(extractor: FakeExtractor, nasty_text: str) -> None:
    values = [extractor.extract(nasty_text, id=id).to_dict() for id in ("1", "\u2028", "😀")]
    lines = b"".join(ndjson(values))
    assert lines.endswith(b"\n")
    assert [json.loads(line) for line in lines.split(b"\n")[:-1]] == values
    assert [json.loads(line) for line in lines.decode("utf-8").splitlines()] == values


def test_arabic_is_not_escaped() -> None:
    assert json_line({"text": "قال"}) == '{"text":"قال"}\n'.encode()


def test_nothing_is_no_line() -> None:
    assert list(ndjson([])) == []


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_line({"score": float("nan")})
