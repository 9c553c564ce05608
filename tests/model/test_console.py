from __future__ import annotations

import pytest
import typer

from model.console import fail, needs_extra, say


def test_messages_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    message = f"[red]/tmp/:smile:/{'قال ' * 200}"
    say(message)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"musnad: {message}\n")


@pytest.mark.parametrize(("arguments", "status"), [((), 2), ((1,), 1)])
def test_a_failure_has_its_status(arguments: tuple[int, ...], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        fail(ValueError("bad"), *arguments)
    assert ended.value.exit_code == status
    assert capsys.readouterr().err == "musnad: bad\n"


def test_a_missing_library_names_its_extra(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        needs_extra(ModuleNotFoundError("No module named 'ray'", name="ray"), "cluster")
    assert ended.value.exit_code == 2
    expected = "musnad: this command needs ray: install the extra, pip install 'musnad[cluster]'\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize("name", ["model.nothing", "serving.nothing", "training", None])
def test_what_is_ours_cannot_be_missing(name: str | None) -> None:
    error = ImportError("no", name=name)
    with pytest.raises(ImportError) as raised:
        needs_extra(error, "train")
    assert raised.value is error
