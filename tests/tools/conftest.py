"""The real tools, each started from its own virtual environment on a loopback port with a database of its own.

`MUSNAD_LABEL_STUDIO` and `MUSNAD_DOCCANO` name their executables; without one its tests are skipped.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from real_tools import EMAIL, PASSWORD, START, TOKEN, Tool, awkward, executable, free_port, running, wait_for

from model.annotation import AnnotatedSentence
from model.annotation_files import read_annotations
from training.exchange.documents import canonical


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "tools: starts the real annotation tools (make test-tools)")


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tool]:
    """Label Studio with an administrator."""
    command = executable("MUSNAD_LABEL_STUDIO")
    home, port = tmp_path_factory.mktemp("label-studio"), free_port()
    environment = {
        **os.environ,
        "LABEL_STUDIO_BASE_DATA_DIR": str(home),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",
        # the service that it asks for suggestions is on this machine, and so is the webhook that it makes itself for it
        "ML_BLOCK_LOCAL_IP": "false",
        "SSRF_PROTECTION_ENABLED": "false",
    }
    start = [str(command), "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
    account = ["--username", EMAIL, "--password", PASSWORD, "--user-token", TOKEN]
    address = f"http://127.0.0.1:{port}"
    with running([*start, *account], environment, home / "log") as process:
        wait_for(f"{address}/health", process, home / "log")
        headers = {"Authorization": f"Token {TOKEN}"}
        with httpx2.Client(base_url=address, headers=headers, timeout=120) as session:
            yield Tool(address, session)


@pytest.fixture(scope="session")
def doccano(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tool]:
    """doccano with its queue of tasks and an administrator."""
    command = executable("MUSNAD_DOCCANO")
    home, port = tmp_path_factory.mktemp("doccano"), free_port()
    python = command.with_name("python")
    find = "import importlib.util as u; print(u.find_spec('backend').submodule_search_locations[0])"
    backend = subprocess.run([python, "-c", find], check=True, capture_output=True, text=True).stdout.strip()
    environment = {
        **os.environ,
        "DOCCANO_HOME": str(home),
        "STANDALONE": "True",
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "DATABASE_URL": f"sqlite:///{home}/db.sqlite3",
        "MEDIA_ROOT": str(home / "media"),
    }
    for step in (["init"], ["createuser", "--username", "admin", "--password", PASSWORD]):
        subprocess.run([command, *step], check=True, env=environment, capture_output=True, timeout=START)
    # `doccano webserver` listens on every address of the machine, so its server is started without it
    server = [str(command.with_name("gunicorn")), "--workers", "1", "--bind", f"127.0.0.1:{port}", "--chdir", backend]
    queue = [str(command), "task", "--concurrency", "1"]
    address = f"http://127.0.0.1:{port}"
    with (
        running(queue, environment, home / "queue.log"),
        running([*server, "config.wsgi"], environment, home / "log") as process,
    ):
        wait_for(f"{address}/v1/health/", process, home / "log")
        with httpx2.Client(base_url=address, timeout=120) as session:
            login = session.post("/v1/auth/login/", json={"username": "admin", "password": PASSWORD})
            login.raise_for_status()
            session.headers["X-CSRFToken"] = session.cookies["csrftoken"]
            yield Tool(address, session)


@pytest.fixture(scope="session")
def given(root: Path) -> list[AnnotatedSentence]:
    """Forty sentences of the corpus, and some with all that moves offsets."""
    corpus = list(read_annotations(root / "annotations" / "dev.jsonl"))[::8][:40]
    return [canonical(sentence) for sentence in [*corpus, *awkward()]]
