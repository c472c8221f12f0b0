"""Settings: defaults, the environment, and what bad values say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from f1core.settings import REPOSITORY, Settings, get_settings, load_settings, reset_settings
from warehouse.errors import ParcFermeError


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No variable of the person who runs the tests, no .env file, no remembered settings."""
    for name in ("DATA", "ARCHIVE", "LOG_LEVEL", "WORKERS"):
        monkeypatch.delenv(f"PARCFERME_{name}", raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    reset_settings()
    yield
    reset_settings()


def test_defaults_lie_in_the_repository() -> None:
    settings = get_settings()
    assert (REPOSITORY / "run.py").is_file()
    assert settings.data == REPOSITORY / "data"
    assert settings.archive is None
    assert settings.log_level == "INFO"
    assert 1 <= settings.workers <= 4


def test_every_folder_lies_in_the_data_folder_under_its_own_name(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path)
    folders = {
        name: getattr(settings, f"{name}_root")
        for name in ("warehouse", "ledger", "features", "models", "cache", "locks")
    }
    assert folders == {name: tmp_path / name for name in folders}
    assert list(tmp_path.iterdir()) == [], "reading settings must not create anything"


def test_the_environment_is_read_once_until_reset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PARCFERME_DATA", str(tmp_path / "a folder with blanks"))
    monkeypatch.setenv("PARCFERME_WORKERS", "2")
    monkeypatch.setenv("PARCFERME_LOG_LEVEL", "debug")
    first = get_settings()
    assert (first.data, first.workers, first.log_level) == (tmp_path / "a folder with blanks", 2, "DEBUG")
    monkeypatch.setenv("PARCFERME_WORKERS", "3")
    assert get_settings() is first
    reset_settings()
    assert get_settings().workers == 3


def test_relative_paths_belong_to_the_repository_wherever_we_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARCFERME_DATA", "elsewhere/data")
    monkeypatch.setenv("PARCFERME_ARCHIVE", "../shared/f1-archive")
    settings = get_settings()
    assert settings.data == REPOSITORY / "elsewhere" / "data"
    assert settings.archive == str((REPOSITORY.parent / "shared" / "f1-archive").resolve())


def test_an_archive_may_be_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARCFERME_ARCHIVE", "https://example.org/f1-archive/")
    assert get_settings().archive == "https://example.org/f1-archive/"


def test_empty_means_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATA", "ARCHIVE", "WORKERS"):
        monkeypatch.setenv(f"PARCFERME_{name}", "")
    assert (get_settings().data, get_settings().archive, get_settings().workers) == (
        REPOSITORY / "data",
        None,
        Settings.model_fields["workers"].get_default(call_default_factory=True),
    )


def test_a_dotenv_file_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PARCFERME_WORKERS=4\nPARCFERME_LOG_LEVEL=error\nSOMETHING_ELSE=1\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    monkeypatch.setenv("PARCFERME_LOG_LEVEL", "warning")
    assert (get_settings().workers, get_settings().log_level) == (4, "WARNING")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PARCFERME_WORKERS", "many"),
        ("PARCFERME_WORKERS", "0"),
        ("PARCFERME_WORKERS", "-2"),
        ("PARCFERME_LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_value_is_answered_with_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ParcFermeError, match=variable) as caught:
        get_settings()
    assert value in caught.value.message
    assert variable in caught.value.hint


def test_settings_cannot_be_changed_by_accident(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        settings.workers = 7
