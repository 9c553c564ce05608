"""The real service with the shipped checkpoint and its page, in a thread; and Debian's Chromium in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from page_service import running
from playwright import sync_api
from watched_page import WatchedPage

from model.extractor import DEFAULT_CHECKPOINT, Extractor
from serving.app import create_app
from serving.feedback.migrations import upgrade
from serving.headers import CONTENT_SECURITY_POLICY
from serving.settings import Settings

CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def extractor() -> Extractor:
    if not (DEFAULT_CHECKPOINT / "model.onnx").is_file():
        pytest.skip("there is no shipped checkpoint in model/default")
    return Extractor.load()


@pytest.fixture(scope="session")
def service(extractor: Extractor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the service, with a database of its own."""
    database = tmp_path_factory.mktemp("annotations") / "musnad.db"
    settings = Settings(database_url=f"sqlite:///{database}", keys_file=None, rate_limit=None)
    upgrade(f"sqlite:///{database}")
    with running(create_app(extractor, settings)) as address:
        yield address


@pytest.fixture(scope="module")  # while it is open, its event loop runs, and no other test could run one
def browser() -> Iterator[sync_api.Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM} (Debian's package `chromium`)")
    with sync_api.sync_playwright() as playwright:
        sync_api.expect.set_options(timeout=60_000)
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: sync_api.Browser, service: str) -> Iterator[Callable[..., WatchedPage]]:
    """Opens the page with options of a browser context; no request may leave the host, and nothing may complain."""
    contexts: list[sync_api.BrowserContext] = []
    tabs: list[WatchedPage] = []

    def open_page(address: str = service, **options: object) -> WatchedPage:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "ar", **options})  # type: ignore[arg-type]
        context.set_default_timeout(60_000)
        contexts.append(context)
        watched = WatchedPage(context.new_page(), address)
        watched.watch()
        tabs.append(watched)
        response = watched.page.goto(f"{address}/")
        assert response is not None
        assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        watched.page.locator("#samples button").first.wait_for()
        return watched

    yield open_page
    for context in contexts:
        context.close()
    for watched in tabs:
        origin = urlsplit(watched.requests[0])[:2]
        assert [url for url in watched.requests if urlsplit(url)[:2] != origin] == []
        assert watched.complaints == []


@pytest.fixture
def tab(opened: Callable[..., WatchedPage]) -> WatchedPage:
    """The page in Arabic, light, on a desktop."""
    return opened()
