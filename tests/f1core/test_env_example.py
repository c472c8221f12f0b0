"""``.env.example`` lists every variable with its default, and secrets stay out of what is printed and logged."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from f1core.freeze_policy import FreezePolicy
from f1core.log import configure_logging, get_logger
from f1core.settings import REPOSITORY, Settings, load_settings, read_settings, variable_of
from warehouse.errors import ParcFermeError

EXAMPLE = REPOSITORY / ".env.example"
VARIABLES = {variable_of(Settings, name): name for name in Settings.model_fields}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    yield


def example() -> dict[str, str]:
    lines = [line for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return dict(line.split("=", 1) for line in lines)


def test_every_variable_is_listed_and_no_other() -> None:
    assert example().keys() == VARIABLES.keys()


def test_every_variable_has_a_line_that_explains_it() -> None:
    paragraphs = EXAMPLE.read_text(encoding="utf-8").strip().split("\n\n")[1:]
    assert len(paragraphs) == len(VARIABLES)
    for paragraph in paragraphs:
        assert re.fullmatch(r"# [A-Z].+\.\n[A-Z0-9_]+=.*", paragraph), paragraph


def test_the_values_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = load_settings()
    for variable, value in example().items():
        monkeypatch.setenv(variable, value)
        assert load_settings() == defaults, variable
    monkeypatch.setitem(Settings.model_config, "env_file", EXAMPLE)
    for variable in VARIABLES:
        monkeypatch.delenv(variable)
    assert load_settings() == defaults
    # An empty value means "worked out here"; every other one is the default itself, not merely harmless.
    shown = {
        "PREDICTION_FREEZE_POLICY": "post_qualifying",
        "PREDICTION_FREEZE_TMINUTES": "30",
        "ALLOWED_ORIGINS": "*",
    }
    assert {variable: example()[variable] for variable in shown} == shown
    assert {v for v, text in example().items() if not text} == {
        "PARCFERME_ARCHIVE",
        "PARCFERME_WORKERS",
        "PARCFERME_CLOCK",
        "FASTF1_CACHE_DIR",
    }


def test_every_variable_changes_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    others = {
        "PARCFERME_DATA": "/tmp/elsewhere",
        "PARCFERME_ARCHIVE": "https://example.org/x",
        "PARCFERME_LOG_LEVEL": "error",
        "PARCFERME_WORKERS": "7",
        "PARCFERME_CLOCK": "2026-12-20",
        "ALLOWED_ORIGINS": "https://example.org",
        "PREDICTION_FREEZE_POLICY": "t-minus",
        "PREDICTION_FREEZE_TMINUTES": "90",
        "FASTF1_CACHE_DIR": "/tmp/elsewhere",
        "AUTO_RETRAIN_ENABLED": "false",
        "PARCFERME_OFFLINE": "true",
    }
    assert set(others) == VARIABLES.keys()
    defaults = load_settings()
    for variable, value in others.items():
        monkeypatch.setenv(variable, value)
        name = VARIABLES[variable]
        assert getattr(load_settings(), name) != getattr(defaults, name)
        monkeypatch.delenv(variable)


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("*", ("*",)),
        ("none", ()),
        ("https://a.example", ("https://a.example",)),
        (" https://A.example/ , http://localhost:3000 ", ("https://a.example", "http://localhost:3000")),
        ("http://[::1]:8080", ("http://[::1]:8080",)),
        ("https://a.example,*", ("*",)),
        ("", ("*",)),
    ],
)
def test_allowed_origins(monkeypatch: pytest.MonkeyPatch, text: str, origins: tuple[str, ...]) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", text)
    assert load_settings().allowed_origins == origins


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("t-minus", FreezePolicy.T_MINUS),
        ("T_MINUS", FreezePolicy.T_MINUS),
        (" Post_Qualifying", FreezePolicy.POST_QUALIFYING),
    ],
)
def test_the_policy(monkeypatch: pytest.MonkeyPatch, text: str, policy: FreezePolicy) -> None:
    monkeypatch.setenv("PREDICTION_FREEZE_POLICY", text)
    assert load_settings().prediction_freeze_policy is policy


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALLOWED_ORIGINS", "example.org"),
        ("ALLOWED_ORIGINS", "https://example.org/page"),
        ("ALLOWED_ORIGINS", "https://a.example https://b.example"),
        ("ALLOWED_ORIGINS", "none,https://a.example"),
        ("PREDICTION_FREEZE_POLICY", "whenever"),
        ("PREDICTION_FREEZE_TMINUTES", "0"),
        ("PREDICTION_FREEZE_TMINUTES", "1441"),
        ("PREDICTION_FREEZE_TMINUTES", "half an hour"),
    ],
)
def test_a_bad_value_is_answered_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ParcFermeError, match=variable) as caught:
        load_settings()
    assert value in caught.value.message
    assert variable in caught.value.hint


# --- secrets ----------------------------------------------------------------------------------------------------------

SECRET = "hunter2-of-the-paddock"


class WithSecret(Settings):
    """The settings as they will be once something needs a key."""

    model_config = SettingsConfigDict(env_file=None)
    token: SecretStr = SecretStr("")
    backup_token: SecretStr | None = None
    count: int = 1


def logged(value: object) -> str:
    out = []
    for as_json in (True, False):
        stream = io.StringIO()
        configure_logging("INFO", stream=stream, json=as_json)
        get_logger("test").info("settings_read", settings=value, text=f"{value}")
        try:
            raise ValueError("broken")
        except ValueError:
            get_logger("test").exception("failed", settings=value)
        out.append(stream.getvalue())
    return "".join(out)


def test_a_secret_is_never_printed_or_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    import logging

    handlers = list(logging.getLogger().handlers)
    monkeypatch.setenv("PARCFERME_TOKEN", SECRET)
    monkeypatch.setenv("PARCFERME_BACKUP_TOKEN", SECRET)
    monkeypatch.setenv("PARCFERME_ARCHIVE", f"https://reader:{SECRET}@example.org/archive")
    try:
        found = read_settings(WithSecret)
        assert found.token.get_secret_value() == SECRET, "the test would prove nothing"
        assert SECRET in str(found.archive)
        for text in (repr(found), str(found), logged(found)):
            assert SECRET not in text
        assert "https://***@example.org/archive" in repr(found)
    finally:
        logging.getLogger().handlers[:] = handlers


@pytest.mark.parametrize("name", ["token", "backup_token"])
def test_the_value_of_a_bad_secret_is_not_repeated(name: str) -> None:
    with pytest.raises(ParcFermeError, match=f"PARCFERME_{name.upper()}") as caught:
        read_settings(WithSecret, **{name: {SECRET: SECRET}})
    chained = caught.value.__cause__
    assert SECRET not in f"{caught.value} {chained}"


def test_a_password_in_a_bad_address_is_not_repeated() -> None:
    with pytest.raises(ParcFermeError) as caught:
        read_settings(WithSecret, count=f"https://me:{SECRET}@example.org")
    assert SECRET not in f"{caught.value} {caught.value.__cause__}"
