from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.negotiation import negotiate
from serving.problems import Problem

JSON, LINES, TURTLE, JSON_LD = "application/json", "application/x-ndjson", "text/turtle", "application/ld+json"
OFFERS = (JSON, LINES, TURTLE, JSON_LD)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        (" , ,", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/*", TURTLE),
        ("text/turtle", TURTLE),
        ("TEXT/Turtle", TURTLE),
        ("application/ld+json", JSON_LD),
        ("text/turtle, application/ld+json", TURTLE),
        ("application/ld+json, text/turtle", TURTLE),  # equals: the order of the offers, not of the header
        ("text/turtle;q=0.4, application/ld+json;q=0.5", JSON_LD),
        ("text/turtle ; q=0.4 ,\tapplication/ld+json ; q=0.399", TURTLE),
        ("*/*;q=0.1, text/turtle", TURTLE),
        ("*/*, application/json;q=0", LINES),  # the more specific counts, though the other is higher
        ("application/*;q=0.2, */*;q=0.9", TURTLE),
        ("application/*;q=0, */*", TURTLE),
        ("application/json;q=0.1, application/json;q=0.8, text/turtle;q=0.5", JSON),  # the higher of equals
        ("application/json;q=0, application/*", LINES),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", JSON),  # a browser
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", JSON),  # Java's own client
        ("application/json; charset=utf-8", JSON),
        ('text/turtle; charset="UTF-8"', TURTLE),
        ('application/ld+json; profile="http://www.w3.org/ns/json-ld#compacted"', JSON_LD),
        ('application/ld+json;profile="a,b;q=0,text/turtle";q=0.3, application/json;q=0.2', JSON_LD),
        ("application/json;version=2, text/turtle;q=0.1", TURTLE),
        ("text/turtle;q=1.000", TURTLE),
        ("text/turtle;q=0.001", TURTLE),
        ("text/turtle;Q=0.5", TURTLE),
        ("nonsense, text/turtle", TURTLE),
        ("text/turtle;q=2, application/ld+json;q=0.1", JSON_LD),
    ],
)
def test_the_best_offer_is_chosen(accept: str | None, chosen: str) -> None:
    assert negotiate(accept, OFFERS) == chosen


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "text/html, image/*",
        "*/*;q=0",
        "*/*;q=0.0, text/*;q=0",
        "application/*;q=0, text/*;q=0.000",
        "application/json;version=2",
        "application/json;q=1.5",
        "application/json;q=nan",
        "application/json;q=",
        "application/json;q=-1",
        "application/json;q=0.0001",
        "json",
        "*/json",
        "application/",
        "application json",
        '"application/json"',
        "application/json;charset=utf-16",
        'text/html;x="unclosed, application/json',
    ],
)
def test_what_is_not_on_offer_is_a_problem_that_names_what_is(accept: str) -> None:
    with pytest.raises(Problem) as problem:
        negotiate(accept, OFFERS)
    details = problem.value.details()
    assert details["status"] == 406
    assert details["type"] == "urn:musnad:problem:not-acceptable"
    assert details["detail"] == f"Accept is {accept!r}; there is {', '.join(OFFERS)}."


def test_an_offer_may_have_parameters() -> None:
    offers = ("text/plain", "text/plain;format=flowed")
    assert negotiate("text/plain;format=flowed", offers) == offers[1]
    assert negotiate("text/plain;format=flowed, text/plain;q=0.5", offers) == offers[1]
    assert negotiate("text/plain;format=flowed;q=0.1, text/plain", offers) == offers[0]
    assert negotiate("text/plain", offers) == offers[0]


def test_a_long_header_is_not_quoted_whole_and_takes_linear_time() -> None:
    with pytest.raises(Problem) as problem:
        negotiate('"\\' * 500_000, OFFERS)
    assert len(problem.value.detail) < 1000


_WEIGHTS = st.integers(0, 1000).map(lambda thousandths: f"{thousandths / 1000:.3f}")


@given(st.dictionaries(st.sampled_from([*OFFERS, "text/*", "application/*", "*/*", "image/png"]), _WEIGHTS))
def test_no_offer_has_a_higher_weight_than_the_chosen(weights: dict[str, str]) -> None:
    def weight(offer: str) -> float:
        for name in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
            if name in weights:
                return float(weights[name])
        return 0.0 if weights else 1.0

    accept = ", ".join(f"{name};q={weight}" for name, weight in weights.items())
    best = max(map(weight, OFFERS))
    if best == 0:
        with pytest.raises(Problem):
            negotiate(accept, OFFERS)
    else:
        assert negotiate(accept, OFFERS) == next(offer for offer in OFFERS if weight(offer) == best)


@given(st.text(st.sampled_from('application/json,;q=01."\\* \ttext/turtle') | st.characters(), max_size=60))
def test_any_header_gives_an_offer_or_a_problem(accept: str) -> None:
    kind = None
    try:
        assert negotiate(accept, OFFERS) in OFFERS
    except Problem as problem:
        kind = problem.kind
    assert kind in (None, "not-acceptable")
