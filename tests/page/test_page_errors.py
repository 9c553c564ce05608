"""Errors of the service, in words, at what they are about, without losing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from page_service import running
from playwright.sync_api import Route, expect
from watched_page import WatchedPage

from model.extractor import Extractor
from serving.app import create_app
from serving.keys import create_key
from serving.settings import Settings

TEXT = "أعلن الجيش العراقي مقتل خمسة مسلحين في صلاح الدين."


def failing(status: int, kind: str, errors: Sequence[dict[str, str]] = (), **headers: str) -> Callable[[Route], None]:
    """What answers every request with a problem."""
    body = {
        "type": f"urn:musnad:problem:{kind}",
        "title": "t",
        "status": status,
        "detail": "d",
        "errors": [*errors],
    }
    return lambda route: route.fulfill(status=status, json=body, headers=headers)


def test_nothing_to_analyse(tab: WatchedPage) -> None:
    tab.paste(" \n")
    tab.page.locator("#analyse").click()
    expect(tab.page.locator("#source-problem")).to_be_visible()
    expect(tab.page.locator("#source")).to_have_attribute("aria-invalid", "true")
    assert not any("/predict" in url for url in tab.requests)


def test_a_text_too_long_is_refused_at_the_text(tab: WatchedPage) -> None:
    text = "قال الرئيس. " * 17_000
    tab.paste(text)
    tab.page.locator("#analyse").click()
    expect(tab.page.locator("#source-problem")).to_contain_text("200,000")
    assert tab.page.locator("#source").input_value() == text


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [(503, "overloaded", "مشغولة"), (429, "rate-limited", "طلبات كثيرة"), (500, "internal-error", "تعثّرت")],
)
def test_problems_in_words(tab: WatchedPage, status: int, kind: str, said: str) -> None:
    tab.page.route("**/predict", failing(status, kind, **{"Retry-After": "7"}))
    tab.paste(TEXT)
    tab.page.locator("#analyse").click()
    answer = tab.page.locator("#analysis-answer")
    expect(answer).to_contain_text(said)
    expect(answer).to_contain_text("٧")
    expect(tab.page.locator("#live")).to_contain_text(said)
    expect(tab.page.locator("#source")).to_have_value(TEXT)
    tab.page.unroute("**/predict")
    tab.page.locator("#analyse").click()
    tab.page.locator("#text .block").first.wait_for()
    expect(answer).to_be_empty()


def test_one_bad_document(tab: WatchedPage) -> None:
    error = {"type": "urn:musnad:problem:deadline", "title": "t", "status": 504, "detail": "d"}
    answer = {"model": {"name": "m", "version": "1"}, "offsets": "utf16", "documents": [{"id": "x", "error": error}]}
    tab.page.route("**/predict", lambda route: route.fulfill(json=answer))
    tab.paste(TEXT)
    tab.page.locator("#analyse").click()
    expect(tab.page.locator("#analysis-answer")).to_contain_text("طال التحليل")


def test_an_answer_with_wrong_offsets_is_not_shown(tab: WatchedPage) -> None:
    entity = {
        "id": "e0",
        "label": "PER",
        "start": 0,
        "end": 3,
        "text": "أعلن",
        "name": "أعلن",
        "value": None,
        "score": 1,
    }
    document = {"id": "x", "text": TEXT, "entities": [entity], "actions": [], "triples": []}
    answer = {"model": {"name": "m", "version": "1"}, "offsets": "utf16", "documents": [document]}
    tab.page.route("**/predict", lambda route: route.fulfill(json=answer))
    tab.paste(TEXT)
    tab.page.locator("#analyse").click()
    expect(tab.page.locator("#analysis-answer")).to_contain_text("تعذّر")
    expect(tab.page.locator("#results")).to_be_hidden()


def test_a_service_that_is_gone_and_a_request_that_is_cancelled(tab: WatchedPage) -> None:
    held: list[Route] = []
    tab.page.route("**/predict", lambda route: held.append(route))
    tab.paste(TEXT)
    tab.page.locator("#analyse").click()
    expect(tab.page.locator("#progress")).to_be_visible()
    tab.page.locator("#cancel").click()
    expect(tab.page.locator("#progress")).to_be_hidden()
    expect(tab.page.locator("#live")).to_have_text("أُلغي التحليل.")
    tab.page.unroute("**/predict")
    tab.page.route("**/predict", lambda route: route.abort())
    tab.page.locator("#analyse").click()
    expect(tab.page.locator("#analysis-answer")).to_contain_text("لم تصل")
    expect(tab.page.locator("#source")).to_have_value(TEXT)


def test_errors_of_saving_stand_at_what_they_are_about(tab: WatchedPage) -> None:
    tab.analyse(TEXT)
    tab.page.locator("#annotator").fill("هدى")
    tab.page.locator("#save").click()
    leave_out = tab.page.locator("#faults > button")
    if leave_out.count():
        leave_out.click()
    spans = tab.spans()
    errors = [
        {"field": "documents[0].entities[1].end_offset", "message": "the span's last letter is cut from its mark"},
        {"field": "annotator", "message": "too long"},
    ]
    tab.page.route("**/annotations", failing(422, "invalid-request", errors))
    tab.page.locator("#save").click()
    expect(tab.page.locator("#annotator-problem")).to_have_text("too long")
    item = tab.page.locator("#save-answer li")
    expect(item).to_contain_text("حرف مفصول عن حركته")
    item.locator("button").click()
    expect(tab.page.locator("#editor .editor-text")).to_have_text(spans[1]["text"])
    assert tab.spans() == spans


@pytest.fixture(scope="module")
def guarded(extractor: Extractor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address of a service that wants a key, and a key for predicting only."""
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    key = create_key(keys, "reader", ["predict"])
    settings = Settings(keys_file=keys, require_keys="yes", database_url=None)
    with running(create_app(extractor, settings)) as address:
        yield address, key


def test_a_key_is_asked_for_when_the_service_wants_one(
    opened: Callable[..., WatchedPage], guarded: tuple[str, str]
) -> None:
    address, key = guarded
    tab = opened(address)
    tab.paste(TEXT)
    tab.page.locator("#analyse").click()
    dialog = tab.page.locator("#key-dialog")
    dialog.locator("input").fill("wrong")
    dialog.locator("input").press("Enter")
    expect(tab.page.locator("#key-problem")).to_contain_text("مفتاحًا صالحًا")
    dialog.locator("input").fill(key)
    dialog.locator('[value="use"]').click()
    tab.page.locator("#text .block").first.wait_for()
    assert tab.page.evaluate("sessionStorage.getItem('musnad.key')") == key
    assert key not in tab.page.evaluate("JSON.stringify({ ...localStorage })")


def test_cancelling_the_key_says_what_is_wanted(opened: Callable[..., WatchedPage], guarded: tuple[str, str]) -> None:
    tab = opened(guarded[0])
    tab.paste(TEXT)
    tab.page.locator("#analyse").click()
    tab.page.locator("#key-dialog").locator('[value="cancel"]').click()
    expect(tab.page.locator("#analysis-answer")).to_contain_text("مفتاح")
    expect(tab.page.locator("#source")).to_have_value(TEXT)
