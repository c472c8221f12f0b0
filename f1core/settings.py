"""Where things lie and how much may run at once: one settings object, read once from the environment.

Variables begin with ``PARCFERME_``, apart from three that have names of their own; ``.env.example`` lists all of them
with their defaults. A file ``.env`` beside ``run.py`` may hold the same variables; what is set in the environment wins.
A relative path means: relative to the repository (``run.py`` has made those from the command line absolute before).
Nothing here is printed or logged whole: a secret is a ``SecretStr``, and a password inside a URL is masked.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretBytes, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from f1core.clock import parse_instant
from f1core.freeze_policy import FreezePolicy
from warehouse.errors import ParcFermeError

REPOSITORY = Path(__file__).resolve().parent.parent


def _absolute(path: Path) -> Path:
    return (REPOSITORY / path.expanduser()).resolve()


def _location(text: str) -> str:
    return text if "://" in text else str(_absolute(Path(text)))


def _level(value: Any) -> str:
    name = str(value).strip().upper()
    if name not in logging.getLevelNamesMapping() or name == "NOTSET":
        raise ValueError("one of DEBUG, INFO, WARNING, ERROR, CRITICAL is needed")
    return name


def _instant(text: str) -> str:
    try:
        parse_instant(text)
    except ParcFermeError as error:
        raise ValueError(f"{error.message} {error.hint}".rstrip(".")) from error
    return text


_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def _origins(value: Any) -> tuple[str, ...]:
    """Origins from a list or from text with commas: ``*`` for all, ``none`` for none."""
    parts = value.split(",") if isinstance(value, str) else list(value)
    origins = tuple(
        dict.fromkeys(str(part).strip().lower().rstrip("/") for part in parts if str(part).strip())
    )
    if origins == ("none",):
        return ()
    wrong = [origin for origin in origins if origin != "*" and not _ORIGIN.fullmatch(origin)]
    if wrong:
        raise ValueError(
            "*, none, or origins such as https://example.org,http://localhost:3000 are needed (no path)"
        )
    return ("*",) if "*" in origins else origins


def _policy(value: Any) -> FreezePolicy:
    try:
        return FreezePolicy(str(value).strip().lower().replace("t_minus", "t-minus"))
    except ValueError:
        raise ValueError(f"one of {', '.join(FreezePolicy)} is needed") from None


class Settings(BaseSettings):
    """What can be set from outside; immutable once read.

    Attributes:
        data: Folder of everything made at run time (``PARCFERME_DATA``); need not exist yet.
        archive: Folder or URL of the facts archive (``PARCFERME_ARCHIVE``); None: the product looks for one.
        log_level: The least important message that is logged (``PARCFERME_LOG_LEVEL``).
        workers: Processes a heavy job may use (``PARCFERME_WORKERS``), at least 1; without it one a core, at most 4.
        clock: The instant the app's pages take for now (``PARCFERME_CLOCK``, e.g. ``2026-12-20``), announced on every
            page; None: the machine's clock. Jobs do not read it: they have ``--as-of``.
        allowed_origins: Web origins whose pages may read the JSON API (``ALLOWED_ORIGINS``, with commas); ``*`` for all,
            empty (``none``) for none.
        prediction_freeze_policy: Which stage is the official one (``PREDICTION_FREEZE_POLICY``).
        prediction_freeze_tminutes: Minutes before the start, for ``t-minus`` (``PREDICTION_FREEZE_TMINUTES``).
        fastf1_cache_dir: Folder in which FastF1 keeps the network's answers (``FASTF1_CACHE_DIR``); None:
            ``cache/fastf1`` in the data folder.
        auto_retrain_enabled: Whether new results lead to a challenger for the models in production
            (``AUTO_RETRAIN_ENABLED``).
        offline: Whether no source on the network is asked (``PARCFERME_OFFLINE``).
    """

    model_config = SettingsConfigDict(
        env_prefix="PARCFERME_",
        env_file=REPOSITORY / ".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        validate_default=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    data: Annotated[Path, AfterValidator(_absolute)] = Path("data")
    archive: Annotated[str, AfterValidator(_location)] | None = None
    log_level: Annotated[str, BeforeValidator(_level)] = "INFO"
    workers: int = Field(default_factory=lambda: min(4, os.cpu_count() or 1), ge=1, le=256)
    clock: Annotated[str, AfterValidator(_instant)] | None = None
    allowed_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)] = Field(
        default=("*",), validation_alias="ALLOWED_ORIGINS"
    )
    prediction_freeze_policy: Annotated[FreezePolicy, BeforeValidator(_policy)] = Field(
        default=FreezePolicy.POST_QUALIFYING, validation_alias="PREDICTION_FREEZE_POLICY"
    )
    prediction_freeze_tminutes: int = Field(
        default=30, ge=1, le=24 * 60, validation_alias="PREDICTION_FREEZE_TMINUTES"
    )
    fastf1_cache_dir: Annotated[Path, AfterValidator(_absolute)] | None = Field(
        default=None, validation_alias="FASTF1_CACHE_DIR"
    )
    auto_retrain_enabled: bool = Field(default=True, validation_alias="AUTO_RETRAIN_ENABLED")
    offline: bool = False

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What is shown of the settings: secrets and passwords in URLs are masked."""
        for name, value in super().__repr_args__():
            yield name, _masked(value)

    @property
    def warehouse_root(self) -> Path:
        """Delta tables, a folder each."""
        return self.data / "warehouse"

    @property
    def ledger_root(self) -> Path:
        """Sealed predictions and settlements: the only folder here that cannot be rebuilt."""
        return self.data / "ledger"

    @property
    def features_root(self) -> Path:
        """Extracted features, one parquet file per event and stage."""
        return self.data / "features"

    @property
    def models_root(self) -> Path:
        """Trained models and the pointer to the one in production."""
        return self.data / "models"

    @property
    def documents_root(self) -> Path:
        """What the JSON API serves beside the ledger, as files; can be made again from the warehouse."""
        return self.data / "documents"

    @property
    def cache_root(self) -> Path:
        """Answers of network sources; may be deleted at any time."""
        return self.data / "cache"

    @property
    def fetched_root(self) -> Path:
        """What jobs fetched from the network, in the archive's layout: added to the archive the facts stand on."""
        return self.data / "fetched"

    @property
    def jobs_root(self) -> Path:
        """The job log and the record of the network quotas."""
        return self.data / "jobs"

    @property
    def fastf1_root(self) -> Path:
        """Folder of FastF1's own cache of the network's answers."""
        return self.fastf1_cache_dir or self.cache_root / "fastf1"

    @property
    def locks_root(self) -> Path:
        """Files that carry the operating system's locks of the writers."""
        return self.data / "locks"


AnySettings = TypeVar("AnySettings", bound=BaseSettings)


def load_settings(**given: Any) -> Settings:
    """Read the settings afresh; ``given`` wins over the environment and the ``.env`` file.

    Raises:
        ParcFermeError: A variable has a value that cannot be used; the message names it.
    """
    return read_settings(Settings, **given)


def read_settings(model: type[AnySettings], **given: Any) -> AnySettings:
    """Read settings of a kind; see :func:`load_settings`. The value of a secret is never repeated.

    Raises:
        ParcFermeError: A variable has a value that cannot be used; the message names it.
    """
    try:
        return model(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        variable = variable_of(model, name)
        reason = str(first["msg"]).removeprefix("Value error, ")
        shown = "a value that cannot be used" if _is_secret(model, name) else repr(_masked(first["input"]))
        raise ParcFermeError(
            f"{variable} is set to {shown}: {reason}.",
            hint=f"Correct or unset {variable} in the environment or in {REPOSITORY / '.env'}.",
        ) from error


def variable_of(model: type[BaseSettings], name: str) -> str:
    """Name of the environment variable of a field (given by its own name or by that of its variable)."""
    field = model.model_fields.get(name)
    alias = field.validation_alias if field else name
    return alias if isinstance(alias, str) else f"{model.model_config.get('env_prefix', '')}{name}".upper()


def _is_secret(model: type[BaseSettings], name: str) -> bool:
    for field_name, field in model.model_fields.items():
        if name in (field_name, field.validation_alias):
            return any(kind.__name__ in str(field.annotation) for kind in (SecretStr, SecretBytes))
    return False


def _masked(value: Any) -> Any:
    return _CREDENTIALS.sub("***@", value) if isinstance(value, str) else value


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read at the first call.

    Raises:
        ParcFermeError: A variable has a value that cannot be used.
    """
    return load_settings()


def reset_settings() -> None:
    """Forget what was read, so that the next ``get_settings`` looks again (tests change the environment)."""
    get_settings.cache_clear()
