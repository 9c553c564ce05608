"""The fake extractor, a service with it, and texts that are hard on offsets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fake_extractor import FakeExtractor
from starlette.testclient import TestClient

from model.extractor import Extractor
from serving.app import create_app
from serving.settings import Settings

#: Texts whose code points, bytes, UTF-16 units and visible signs all count differently.
NASTY_TEXTS = {
    "tashkeel": "قَصَفَ الجَيْشُ العِراقِيُّ مَواقِعَ في الأَنبارِ.",
    "tatweel": "قصـــف الجـــيش مواقـــع في حلـــب.",
    "emoji": "أعلن 😀 الجيش 👨\u200d👩\u200d👧 مقتل 🇮🇶 خمسة في بغداد.",
    "crlf": "أعلن الجيش\r\nمقتل خمسة.\r\n\r\nوقال المتحدث ذلك.\r\n",
    "bidi": "\u202bقال \u2067الرئيس\u2069 جو \u200eBiden\u200f أمس\u202c.",
    "bom and nbsp": "\ufeffقال\u00a0الوزير\u2028ذلك\u2029أمس\u200b.",
    "decomposed": "قا\u0653ل أ\u0301حمد ا\u0654لجيش.",
    "presentation": "ﻗﺎﻝ ﺍﻟﺮﺋﻴﺲ ﷺ ﷲ.",
    "controls": "قال\tالرئيس\x1b[31m\x07أحمر\x7f\x85أمس\x1c.",
    "json": 'قال "الرئيس" \\ \\u0041 {"text": "لا"} </script>.',
    "white space": " \t\r\n\u00a0 ",
    "empty": "",
}


@pytest.fixture
def extractor() -> FakeExtractor:
    return FakeExtractor()


@pytest.fixture
def loaded(extractor: FakeExtractor, monkeypatch: pytest.MonkeyPatch) -> FakeExtractor:
    """The fake, which `Extractor.load` now returns for the shipped checkpoint and no other."""

    def load(checkpoint: object = None, threads: int = 0) -> FakeExtractor:
        assert checkpoint is None
        return extractor

    monkeypatch.setattr(Extractor, "load", load)
    return extractor


@pytest.fixture
def client(extractor: FakeExtractor) -> Iterator[TestClient]:
    """A service with low limits."""
    settings = Settings(max_documents=4, max_characters=100, max_body_bytes=4000, database_url=None)
    app = create_app(extractor, settings)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(params=sorted(NASTY_TEXTS))
def nasty_text(request: pytest.FixtureRequest) -> str:
    return NASTY_TEXTS[request.param]
