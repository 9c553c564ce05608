"""The files of the page and the routes that offer them, without a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from serving.page.routes import page_routes
from serving.problems import install_problems

PAGE = Path(__file__).parents[2] / "serving" / "page"
STATIC = PAGE / "static"
OWN = sorted(path for path in STATIC.iterdir() if path.suffix in (".js", ".css", ".svg", ".json"))


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    install_problems(app)
    app.include_router(page_routes())
    return TestClient(app)


def test_index(client: TestClient) -> None:
    response = client.get("/")
    assert response.content == (PAGE / "index.html").read_bytes()
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("main.js", "text/javascript; charset=utf-8"),
        ("base.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("samples.json", "application/json"),
        ("vendor/cytoscape.esm.min.mjs", "text/javascript; charset=utf-8"),
        ("vendor/cytoscape.LICENSE.txt", "text/plain; charset=utf-8"),
    ],
)
def test_static_files(client: TestClient, path: str, content_type: str) -> None:
    response = client.get(f"/static/{path}")
    assert response.content == (STATIC / path).read_bytes()
    assert response.headers["content-type"] == content_type


@pytest.mark.parametrize("path", ["/", "/static/main.js"])
def test_what_a_browser_has_is_not_sent_again(client: TestClient, path: str) -> None:
    etag = client.get(path).headers["etag"]
    for held in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = client.get(path, headers={"if-none-match": held})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == etag
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_head_has_no_body(client: TestClient) -> None:
    response = client.head("/static/main.js")
    assert response.status_code == 200
    assert int(response.headers["content-length"]) == (STATIC / "main.js").stat().st_size
    assert response.content == b""


@pytest.mark.parametrize(
    "path",
    [
        "",
        "vendor",
        "none.js",
        "../routes.py",
        "..%2Froutes.py",
        "%2e%2e/routes.py",
        "..\\routes.py",
        "vendor/..%2Fmain.js",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "main.js%00",
        "MAIN.JS",
    ],
)
def test_no_path_leads_out_of_the_folder(client: TestClient, path: str) -> None:
    response = client.get(f"/static/{path}")
    assert response.status_code == 404
    assert b"APIRouter" not in response.content


def test_the_page_is_not_in_the_openapi(client: TestClient) -> None:
    assert client.get("/openapi.json").json()["paths"] == {}


def test_both_languages_have_the_same_strings() -> None:
    keys = [
        re.findall(r'^  "?([\w.-]+)"?:', (STATIC / f"strings_{name}.js").read_text("utf-8"), re.M)
        for name in ("ar", "en")
    ]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == len(keys[0]) > 150


def test_every_string_is_used() -> None:
    code = "".join(path.read_text("utf-8") for path in OWN if path.suffix == ".js" and "strings_" not in path.name)
    code += (PAGE / "index.html").read_text("utf-8")
    made = re.compile(r"(label|tag|class|factuality|role|problem|refused|border|legend|mark)\.")
    strings = (STATIC / "strings_en.js").read_text("utf-8")
    unused = [
        key for key in re.findall(r'^  "?([\w.-]+)"?:', strings, re.M) if not made.match(key) and f'"{key}"' not in code
    ]
    assert unused == []


def test_the_samples_are_our_own_articles(root: Path) -> None:
    samples = json.loads((STATIC / "samples.json").read_text("utf-8"))
    assert len(samples) >= 4
    for sample in samples:
        article = root / "tests" / "articles" / f"{sample['id']}.txt"
        assert sample["text"] == article.read_text("utf-8").rstrip("\n")


@pytest.mark.parametrize("path", [*OWN, PAGE / "index.html"], ids=lambda path: path.name)
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    content = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    if path.name == "samples.json":
        return
    assert "://" not in content
    assert "innerHTML" not in content


def test_the_markup_has_nothing_inline() -> None:
    markup = (PAGE / "index.html").read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", markup)


def test_every_file_that_the_markup_names_is_there() -> None:
    markup = (PAGE / "index.html").read_text("utf-8")
    names = re.findall(r'(?:src|href)="static/([^"]+)"', markup)
    assert names
    assert [name for name in names if not (STATIC / name).is_file()] == []
