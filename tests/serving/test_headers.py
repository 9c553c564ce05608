from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI, Response
from guard_app import guarded
from starlette.testclient import TestClient

from serving.headers import CONTENT_SECURITY_POLICY, SECURITY_HEADERS, SecurityHeaders, check_origins, install_cors
from serving.keys import KeyRing, create_key

ORIGIN = "https://news.example"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("POST", "/predict", 200),
        ("GET", "/missing", 404),
        ("DELETE", "/predict", 405),
        ("GET", "/busy", 503),
        ("GET", "/fail", 500),
    ],
)
def test_every_answer_has_them(method: str, path: str, status: int) -> None:
    with TestClient(guarded(), raise_server_exceptions=False) as client:
        response = client.request(method, path)
    assert response.status_code == status
    assert {name: response.headers.get_list(name) for name in SECURITY_HEADERS} == {
        name: [value] for name, value in SECURITY_HEADERS.items()
    }


def test_the_policy_lets_the_page_do_only_what_it_needs() -> None:
    directives = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    assert directives == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "font-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def test_what_a_route_sets_itself_stands() -> None:
    app = FastAPI()
    app.add_middleware(SecurityHeaders)

    @app.get("/own")
    async def own() -> Response:
        return Response(headers={"Referrer-Policy": "same-origin"})

    response = TestClient(app).get("/own")
    assert response.headers.get_list("referrer-policy") == ["same-origin"]
    assert response.headers["x-content-type-options"] == "nosniff"


def preflight(client: TestClient, origin: str = ORIGIN) -> dict[str, str]:
    response = client.options(
        "/predict",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type, x-api-key",
        },
    )
    return {"status": str(response.status_code), **response.headers}


def test_other_origins_are_not_let_in_by_default() -> None:
    client = TestClient(guarded())
    assert preflight(client)["status"] == "405"
    response = client.post("/predict", headers={"Origin": ORIGIN})
    assert not [name for name in response.headers if name.startswith("access-control")]


def test_an_origin_is_let_in_without_cookies_also_where_keys_are_required(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    create_key(file, "news", ["predict"])
    client = TestClient(guarded(KeyRing(file), required=True, origins=(ORIGIN,)))
    answer = preflight(client)
    assert answer["status"] == "200"
    assert answer["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in answer
    refused = client.post("/predict", headers={"Origin": ORIGIN})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == ORIGIN
    assert "X-Request-ID" in refused.headers["access-control-expose-headers"]
    assert preflight(client, "https://evil.example")["status"] == "400"


@pytest.mark.parametrize("origins", [[], ["*"], [ORIGIN, "http://localhost:3000", "http://[::1]:3000"]])
def test_origins(origins: list[str]) -> None:
    assert check_origins(origins) == origins


@pytest.mark.parametrize(
    "origin",
    ["news.example", "https://news.example/", "https://News.example", "null", "", "https://*.example", "ftp://a"],
)
def test_what_is_not_an_origin_is_an_error(origin: str) -> None:
    with pytest.raises(ValueError, match=r"cors_origins\[1\]: .* is not an origin"):
        install_cors(FastAPI(), [ORIGIN, origin])


def test_every_origin_goes_with_no_other() -> None:
    with pytest.raises(ValueError, match="leave out the others"):
        check_origins([ORIGIN, "*"])
