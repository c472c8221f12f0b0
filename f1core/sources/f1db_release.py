"""The newest F1DB release over the network, and which of two F1DB zips holds the newer facts."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from f1core.settings import Settings
from f1core.sources import f1db, http
from f1core.sources.contract import fingerprint
from f1core.sources.exchange import host_of, next_hop
from f1core.sources.keeping import keep
from f1core.sources.limits import Quota
from warehouse.errors import NotPublished, SourceError, SourceSchemaError

RELEASE_URL = "https://api.github.com/repos/f1db/f1db/releases/latest"
ASSET = "f1db-csv.zip"
FETCHED_ZIP = Path("f1db") / ASSET
RELEASE_FILE = "release.json"
FORMAT = 1
MAX_ZIP = 128 * 2**20
SESSION_FILES = tuple(
    name for name in f1db.FILES if name.endswith("-results") or name.endswith("starting-grid-positions")
)
"""Files whose rows say that a session of a race was driven, or its grid made."""
_API_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)")
# A flipped bit in a zip's directory may also read as "encrypted" or "another compression".
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)
_KEPT = "The release that is here stays in use."


@dataclass(frozen=True)
class Release:
    """A release as GitHub describes it.

    Attributes:
        tag: Its name, e.g. ``v2026.14.0``.
        url: Address of the zip.
        size: Size of the zip [bytes]; None where it is not given.
        sha256: Hash of the zip; None where it is not given.
    """

    tag: str
    url: str
    size: int | None
    sha256: str | None

    def is_newer_than(self, held: Mapping[str, Any]) -> bool:
        """Whether it should take the place of the release that is here (a changed zip under the same tag, too)."""
        mine, other = _version(self.tag), _version(str(held["tag"]))
        if self.tag == held["tag"] or (mine and mine == other):
            return self.sha256 is not None and self.sha256 != held["sha256"]
        return mine > other if mine and other else True


@dataclass(frozen=True)
class ReleaseCheck:
    """What a look at the newest release gave.

    Attributes:
        is_new: Whether another zip is here now than before.
        tag: Name of the release that is here now.
        path: Its zip.
        note: What happened, in words.
    """

    is_new: bool
    tag: str
    path: Path
    note: str


@dataclass(frozen=True, order=True)
class Reach:
    """How far the facts of a zip reach; the greater one is newer.

    Attributes:
        race: Date of the newest race with a result.
        weekend: Date of the newest race with a result of any session, or a grid.
        sessions: How many sessions of that weekend have rows.
    """

    race: dt.date
    weekend: dt.date
    sessions: int


@dataclass(frozen=True)
class Choice:
    """Which zip is read.

    Attributes:
        path: The zip.
        reason: Why this one, in words.
        problem: What is wrong with the other one, empty as a rule.
    """

    path: Path
    reason: str
    problem: str = ""


# --- fetching ---------------------------------------------------------------------------------------------------------


def fetch_release(
    settings: Settings, *, quota: Quota, now: dt.datetime, url: str = RELEASE_URL, force: bool = False
) -> ReleaseCheck:
    """Fetches the newest F1DB release when it is newer than the one that jobs fetched before.

    The zip takes its place under ``data/fetched/f1db`` only after its checksum was verified, the product's own reader
    has read it whole, and it was found to hold no less than the one before.

    Args:
        settings: Where the data lies.
        quota: The record of requests.
        now: When it is fetched (the real clock); kept beside the zip.
        url: GitHub's description of the newest release.
        force: Fetch it again even when it is the one that is here.

    Raises:
        SourceUnavailable: GitHub cannot be asked now.
        NotPublished: The newest release has no CSV zip yet.
        SourceError: The zip is damaged, truncated, wrong or holds less than the one here, which stays.
        SourceSchemaError: GitHub's description or a CSV has another format.
        WarehouseError: The disk refuses.
    """
    path = settings.fetched_root / FETCHED_ZIP
    held = _held(path)
    answer = http.get(
        url,
        quota=quota,
        headers=_API_HEADERS,
        etag=held.get("etag") if held and not force else None,
        expect_json=True,
    )
    if held and answer.not_modified:
        return ReleaseCheck(False, held["tag"], path, f"Nothing is newer than {held['tag']} (not modified).")
    release = _release(answer.json(), url)
    facts = {
        "format": FORMAT,
        "tag": release.tag,
        "etag": answer.etag,
        "url": release.url,
        "fetched_at": now.astimezone(dt.UTC).isoformat(),
    }
    if held and not force and not release.is_newer_than(held):
        _record(
            path, {**facts, **{name: held[name] for name in ("tag", "url", "sha256", "size", "fetched_at")}}
        )
        return ReleaseCheck(
            False, held["tag"], path, f"{held['tag']} is here; the newest release is {release.tag}."
        )
    if not held and not force and release.sha256 and path.is_file() and fingerprint(path) == release.sha256:
        # A job died between the zip and its description.
        _record(path, {**facts, "sha256": release.sha256, "size": path.stat().st_size})
        return ReleaseCheck(False, release.tag, path, f"{release.tag} is here.")

    old_print = fingerprint(path) if path.is_file() else None

    def accept(fetched: Path) -> None:
        _verify(fetched, release, path if path.is_file() else None)

    done = http.download(
        release.url,
        path,
        quota=quota,
        headers={"Accept": "application/octet-stream"},
        sha256=release.sha256,
        accept=accept,
        max_bytes=MAX_ZIP,
        not_published=f"The zip of F1DB release {release.tag} is not there yet.",
    )
    _record(path, {**facts, "sha256": done.sha256, "size": done.size})
    if done.sha256 == old_print:
        return ReleaseCheck(
            False, release.tag, path, f"{release.tag} was fetched again: nothing has changed."
        )
    before = f", after {held['tag']}" if held else ""
    return ReleaseCheck(True, release.tag, path, f"F1DB release {release.tag} was fetched{before}.")


def fetched_release(settings: Settings) -> dict[str, Any] | None:
    """What is known of the fetched release (``tag, etag, sha256, size, url, fetched_at``); None when there is none."""
    return _held(settings.fetched_root / FETCHED_ZIP)


def _release(answer: Any, url: str) -> Release:
    try:
        tag = answer["tag_name"]
        assets = {asset["name"]: asset for asset in answer["assets"]}
        if not isinstance(tag, str) or not tag:
            raise TypeError
    except (KeyError, TypeError):
        raise SourceSchemaError(
            f"{host_of(url)} describes the newest F1DB release in another form (tag_name and assets are expected).",
            hint=f"GitHub's answer has changed. {_KEPT}",
        ) from None
    asset = assets.get(ASSET)
    if asset is None or asset.get("state", "uploaded") != "uploaded":
        raise NotPublished(
            f"F1DB release {tag} has no {ASSET} yet.", hint=f"It is looked for again later. {_KEPT}"
        )
    address, size = asset.get("browser_download_url"), asset.get("size")
    if not isinstance(address, str):
        raise SourceSchemaError(
            f"{host_of(url)} names no address for {ASSET} of F1DB release {tag}.", hint=_KEPT
        )
    kind, _, digest = str(asset.get("digest") or "").partition(":")
    return Release(
        tag,
        next_hop(url, address),
        size if isinstance(size, int) else None,
        digest.lower() if kind == "sha256" else None,
    )


def _verify(fetched: Path, release: Release, older: Path | None) -> None:
    """Reads a fetched zip as the product will.

    Raises:
        SourceError: It is damaged, or holds less than the one that is here.
    """
    size = fetched.stat().st_size
    if release.size is not None and size != release.size:
        raise SourceError(
            f"The zip of F1DB release {release.tag} has {size} bytes instead of {release.size}.",
            hint=f"It was cut short; it is fetched again later. {_KEPT}",
        )
    try:
        f1db.read(fetched)
        new = reach(fetched)
    except SourceError as error:
        raise type(error)(
            f"The zip of F1DB release {release.tag} was refused: {error.message.replace(str(fetched), ASSET)}",
            hint=f"It is fetched again later. {_KEPT}",
        ) from error
    except _DAMAGE as error:
        raise SourceError(
            f"The zip of F1DB release {release.tag} is damaged ({error}).",
            hint=f"It is fetched again later. {_KEPT}",
        ) from error
    try:
        old = reach(older) if older else None
    except SourceError:
        old = None  # what is here cannot be read: anything readable is better
    if old and new < old:
        raise SourceError(
            f"The zip of F1DB release {release.tag} ends with the race of {new.race}; the one here ends with {old.race} "
            f"(newest weekend {new.weekend} with {new.sessions} sessions, here {old.weekend} with {old.sessions}).",
            hint=f"A newer release never knows less; it is looked at again later. {_KEPT}",
        )


def _held(path: Path) -> dict[str, Any] | None:
    """The description of the zip that is here; None unless both are there and belong together."""
    try:
        found: dict[str, Any] = json.loads(path.with_name(RELEASE_FILE).read_text())
        whole = found["format"] == FORMAT and fingerprint(path) == found["sha256"] and bool(found["tag"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if whole else None


def _record(path: Path, facts: Mapping[str, Any]) -> None:
    keep(path.with_name(RELEASE_FILE), json.dumps(facts, indent=1, sort_keys=True).encode())


def _version(tag: str) -> tuple[int, ...]:
    found = _VERSION.fullmatch(tag.strip())
    return tuple(int(part) for part in found[1].split(".")) if found else ()


# --- which zip is newer -----------------------------------------------------------------------------------------------


def newest_f1db(archive_zip: Path | None, fetched_zip: Path | None) -> Path:
    """Which of two F1DB zips holds the newer facts; see :func:`choose_f1db`.

    Raises:
        SourceError: Neither is there, or none can be read.
    """
    return choose_f1db(archive_zip, fetched_zip).path


def choose_f1db(archive_zip: Path | None, fetched_zip: Path | None) -> Choice:
    """Chooses between the archive's F1DB zip and the one that jobs fetched, by what they hold, not by file dates.

    The rule: the later date of the newest race with a result wins; when they are equal, the later race weekend with a
    result of any session (or a grid); when that is equal, the one with more sessions of that weekend. When they reach
    equally far the fetched release is taken: corrections of older results come with releases. One that cannot be read
    is passed over, and the choice says so.

    Args:
        archive_zip: The archive's; None or not there: there is no archive.
        fetched_zip: What jobs fetched; None or not there: nothing was.

    Raises:
        SourceError: Neither is there, or none can be read.
    """
    there = [
        (path, words)
        for path, words in ((archive_zip, "the archive's F1DB"), (fetched_zip, "the fetched F1DB release"))
        if path is not None and path.is_file()
    ]
    if not there:
        raise SourceError(
            "There are no F1DB results: neither an archive nor a fetched release.",
            hint="Set PARCFERME_ARCHIVE to an archive folder, or let a job fetch the release (needs the network).",
        )
    if len(there) == 1:
        return Choice(there[0][0], f"{there[0][1]}; there is no other")
    (base, base_words), (added, added_words) = there
    base_reach, base_error = _try_reach(base)
    added_reach, added_error = _try_reach(added)
    if base_error and added_error:
        raise base_error
    if base_reach is None or added_reach is None:
        path, words, error = (
            (added, added_words, base_error) if base_reach is None else (base, base_words, added_error)
        )
        return Choice(path, f"{words}; the other cannot be read", error.message if error else "")
    if base_reach > added_reach:
        return Choice(
            base, f"{base_words}; it reaches further ({_said(base_reach)}; fetched: {_said(added_reach)})"
        )
    how = "it reaches as far" if base_reach == added_reach else "it reaches further"
    return Choice(added, f"{added_words}; {how} ({_said(added_reach)}; archive: {_said(base_reach)})")


def reach(path: Path) -> Reach:
    """How far the facts of an F1DB zip reach; reads a few columns only.

    Raises:
        SourceError: The zip cannot be read, or has no race with a result.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.", hint=f1db.GET_AGAIN) from error
    return _reach(path, stat.st_mtime_ns, stat.st_size, stat.st_ino)


@lru_cache(maxsize=8)
def _reach(path: Path, _changed: int, _size: int, _inode: int) -> Reach:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {Path(name).name: name for name in archive.namelist()}

            def column(file: str, *names: str) -> pl.DataFrame:
                body = archive.read(members[f"f1db-{file}.csv"])
                return pl.read_csv(io.BytesIO(body), columns=list(names), infer_schema=False)

            dates = dict(column("races", "id", "date").iter_rows())
            driven = {file: set(column(file, "raceId")["raceId"].to_list()) for file in SESSION_FILES}
        if not driven["races-race-results"]:
            raise SourceError(f"{path} holds no race with a result.", hint=f1db.GET_AGAIN)
        held = [dt.date.fromisoformat(dates[race]) for race in driven["races-race-results"]]
        newest = max((race for races in driven.values() for race in races), key=lambda race: str(dates[race]))
        count = sum(newest in races for races in driven.values())
        return Reach(max(held), dt.date.fromisoformat(dates[newest]), count)
    except (*_DAMAGE, OSError, pl.exceptions.PolarsError) as error:
        raise SourceError(f"{path} is damaged or truncated ({error}).", hint=f1db.GET_AGAIN) from error
    except (KeyError, ValueError, TypeError) as error:
        raise SourceError(f"{path} is no F1DB release ({error}).", hint=f1db.GET_AGAIN) from error


def _try_reach(path: Path) -> tuple[Reach | None, SourceError | None]:
    try:
        return reach(path), None
    except SourceError as error:
        return None, error


def _said(far: Reach) -> str:
    newest = f"newest race {far.race}"
    return newest if far.weekend == far.race else f"{newest}, newest weekend {far.weekend}"
