"""The F1DB release over the network: fetched when newer, believed only when whole, and never at the price of facts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from f1core.settings import Settings, load_settings
from f1core.sources import f1db, f1db_release
from f1core.sources.f1db_release import choose_f1db, fetch_release, fetched_release, newest_f1db, reach
from f1core.sources.limits import Quota
from tests.local_server import LocalServer, Reply, Request
from tests.made_up_archive import Championship, edit_csv, write_zip, zip_path
from warehouse.errors import NotPublished, SourceError, SourceSchemaError, SourceUnavailable, WarehouseError

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
API, ZIP = "/repos/f1db/f1db/releases/latest", "/download/f1db-csv.zip"


def season(held: int, *, through: str = "") -> Championship:
    made = Championship.of({2025: 3, 2026: 4}, held=held)
    if through:
        made.races[3 + held].through = through
    return made


@pytest.fixture(scope="module")
def zips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Releases of one season at four moments. Read only."""
    moments = {
        "one race": season(1),
        "one race and practice": season(1, through="practice"),
        "one race and qualifying": season(1, through="qualifying"),
        "two races": season(2),
    }
    found = {}
    for name, made in moments.items():
        folder = tmp_path_factory.mktemp("release")
        write_zip(folder, made.tables())
        found[name] = zip_path(folder)
    return found


@dataclasses.dataclass
class GitHub:
    """A made-up GitHub that offers one release."""

    server: LocalServer
    tag: str = "v2026.4.0"
    body: bytes = b""
    digest: str | None = "right"
    sent: bytes | None = None
    change: Callable[[dict[str, Any]], object] = lambda answer: None

    def offer(self, tag: str, path: Path) -> None:
        self.tag, self.body = tag, path.read_bytes()

    def describe(self, request: Request) -> Reply:
        digest = hashlib.sha256(self.body).hexdigest() if self.digest == "right" else self.digest
        asset: dict[str, Any] = {
            "name": "f1db-csv.zip",
            "state": "uploaded",
            "size": len(self.body),
            "digest": digest and f"sha256:{digest}",
            "browser_download_url": self.server.url(ZIP),
        }
        answer = {"tag_name": self.tag, "assets": [{**asset, "name": "f1db-json.zip"}, asset]}
        self.change(answer)
        body = json.dumps(answer).encode()
        etag = f'W/"{hashlib.sha256(body).hexdigest()}"'
        if request.headers.get("if-none-match") == etag:
            return Reply(status=304)
        return Reply(body, headers={"ETag": etag})

    def download(self, _: Request) -> Reply:
        return Reply(status=302, headers={"Location": self.server.url("/assets/1", host="localhost")})

    def asset(self, _: Request) -> Reply:
        return Reply(self.body if self.sent is None else self.sent)

    @property
    def downloads(self) -> int:
        return len(self.server.asked("/assets/1"))


@pytest.fixture
def github(server: LocalServer, zips: dict[str, Path]) -> GitHub:
    made = GitHub(server)
    made.offer("v2026.4.0", zips["one race"])
    server.routes |= {API: made.describe, ZIP: made.download, "/assets/1": made.asset}
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data=tmp_path / "data")


@pytest.fixture
def fetch(github: GitHub, settings: Settings, quota: Quota) -> Callable[..., f1db_release.ReleaseCheck]:
    return lambda **more: fetch_release(settings, quota=quota, now=NOW, url=github.server.url(API), **more)


Fetch = Callable[..., f1db_release.ReleaseCheck]


def files(settings: Settings) -> list[str]:
    return sorted(path.name for path in (settings.fetched_root / "f1db").iterdir())


# --- fetching ---------------------------------------------------------------------------------------------------------


def test_the_first_release_comes_with_no_archive_at_all(
    fetch: Fetch, github: GitHub, settings: Settings, zips: dict[str, Path]
) -> None:
    assert fetched_release(settings) is None
    done = fetch()
    assert (done.is_new, done.tag) == (True, "v2026.4.0")
    assert done.path == settings.fetched_root / "f1db" / "f1db-csv.zip"
    assert done.path.read_bytes() == zips["one race"].read_bytes()
    kept = json.loads((done.path.parent / "release.json").read_text())
    assert kept["tag"] == "v2026.4.0" and kept["fetched_at"] == NOW.isoformat()
    assert kept["sha256"] == hashlib.sha256(github.body).hexdigest() and kept["etag"].startswith("W/")
    assert fetched_release(settings) == kept
    assert newest_f1db(None, done.path) == newest_f1db(settings.data / "none.zip", done.path) == done.path
    assert f1db.read(done.path).tables["f1db__races"].num_rows == 7


def test_what_is_here_is_not_fetched_again(fetch: Fetch, github: GitHub, server: LocalServer) -> None:
    fetch()
    again = fetch()
    assert not again.is_new and "Nothing is newer" in again.note
    assert "if-none-match" in server.requests[-1].headers
    # Another description of the same release (a download counter, a note) is no reason either.
    github.change = lambda answer: answer.update(body="new words")
    third = fetch()
    assert not third.is_new and github.downloads == 1
    fetch()
    assert server.requests[-1].headers["if-none-match"] != server.requests[0].headers.get("if-none-match")
    assert github.downloads == 1


def test_a_newer_release_takes_its_place_and_an_older_one_does_not(
    fetch: Fetch, github: GitHub, zips: dict[str, Path], settings: Settings
) -> None:
    fetch()
    github.offer(
        "v2026.10.0", zips["two races"]
    )  # newer than v2026.4.0 and v2026.9.0, though not by the alphabet
    done = fetch()
    assert done.is_new and done.path.read_bytes() == zips["two races"].read_bytes()
    assert fetched_release(settings)["tag"] == "v2026.10.0"  # type: ignore[index]
    github.offer("v2026.9.0", zips["one race"])
    older = fetch()
    assert (older.is_new, older.tag) == (False, "v2026.10.0")
    assert done.path.read_bytes() == zips["two races"].read_bytes()
    assert github.downloads == 2
    assert files(settings) == ["f1db-csv.zip", "release.json"]


def test_a_corrected_zip_under_the_same_name_is_fetched(
    fetch: Fetch, github: GitHub, zips: dict[str, Path], tmp_path: Path
) -> None:
    fetch()
    folder = tmp_path / "corrected"
    shutil.copytree(zips["one race"].parent, folder / "f1db")
    edit_csv(folder, "grands-prix", lambda text: text.replace("Lakeland GP", "Lakes GP"))
    github.offer("v2026.4.0", zip_path(folder))
    assert fetch().is_new
    assert not fetch(force=True).is_new  # read again on demand: the same
    assert github.downloads == 3


def test_a_zip_that_was_lost_or_changed_here_is_fetched_again(fetch: Fetch, github: GitHub) -> None:
    path = fetch().path
    path.write_bytes(b"damaged")
    assert fetch().is_new and path.read_bytes() == github.body
    path.unlink()
    assert fetch().is_new and path.read_bytes() == github.body
    assert github.downloads == 3


def test_a_job_that_died_between_the_zip_and_its_description(
    fetch: Fetch, github: GitHub, settings: Settings, zips: dict[str, Path]
) -> None:
    path = fetch().path
    (path.parent / "release.json").unlink()
    assert (fetch().tag, github.downloads) == ("v2026.4.0", 1)
    # … and with an older description beside the newer zip.
    github.offer("v2026.5.0", zips["two races"])
    path.write_bytes(zips["two races"].read_bytes())
    assert (fetch().tag, github.downloads) == ("v2026.5.0", 1)
    assert fetched_release(settings) is not None
    (path.parent / "release.json").write_text("{ half a descri")
    assert (fetch().tag, github.downloads) == ("v2026.5.0", 1)


# --- refusing ---------------------------------------------------------------------------------------------------------


def without_results(folder: Path) -> None:
    edit_csv(folder, "races-race-results", lambda text: None)


def renamed_column(folder: Path) -> None:
    edit_csv(folder, "races", lambda text: text.replace("grandPrixId", "grandPrix", 1))


def emptied(folder: Path) -> None:
    edit_csv(folder, "races-race-results", lambda text: text.split("\n")[0] + "\n")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (without_results, r"f1db-races-race-results\.csv is missing"),
        (renamed_column, r"'grandPrixId' \(is it 'grandPrix' now\?\) is missing"),
        (emptied, r"v2026\.5\.0 was refused: .*no race with a result"),
    ],
)
def test_a_wrong_zip_is_refused_by_the_reader_and_the_old_one_stays(
    fetch: Fetch,
    github: GitHub,
    settings: Settings,
    zips: dict[str, Path],
    tmp_path: Path,
    damage: Callable[[Path], None],
    words: str,
) -> None:
    path = fetch().path
    before = fetched_release(settings)
    shutil.copytree(zips["two races"].parent, tmp_path / "wrong" / "f1db")
    damage(tmp_path / "wrong")
    github.offer("v2026.5.0", zip_path(tmp_path / "wrong"))
    with pytest.raises(SourceError, match=words) as caught:
        fetch()
    assert "stays in use" in caught.value.hint and ".part" not in str(caught.value)
    assert path.read_bytes() == zips["one race"].read_bytes()
    assert fetched_release(settings) == before and files(settings) == ["f1db-csv.zip", "release.json"]
    github.offer("v2026.5.0", zips["two races"])
    assert fetch().is_new


@pytest.mark.parametrize("fault", ["checksum", "size", "no size", "bit"])
def test_a_damaged_download_is_refused(
    fetch: Fetch, github: GitHub, settings: Settings, zips: dict[str, Path], fault: str
) -> None:
    path = fetch().path
    github.offer("v2026.5.0", zips["two races"])
    github.sent = github.body[:-4000]
    words = {
        "checksum": "another checksum",
        "size": "bytes instead of",
        "no size": "damaged or truncated",
        "bit": "damaged or truncated",
    }
    if fault != "checksum":
        github.digest = None
    if fault == "bit":
        flipped = bytearray(github.body)
        flipped[len(flipped) // 2] ^= 0x10
        github.sent = bytes(flipped)
    if fault == "no size":
        github.change = lambda answer: [asset.pop("size") for asset in answer["assets"]]
    with pytest.raises(SourceError, match=words[fault]):
        fetch()
    assert path.read_bytes() == zips["one race"].read_bytes()
    assert fetched_release(settings)["tag"] == "v2026.4.0"  # type: ignore[index]
    assert files(settings) == ["f1db-csv.zip", "release.json"]


def test_a_newer_release_that_knows_less_is_refused(
    fetch: Fetch, github: GitHub, zips: dict[str, Path]
) -> None:
    github.offer("v2026.5.0", zips["two races"])
    path = fetch().path
    github.offer("v2026.6.0", zips["one race"])
    with pytest.raises(
        SourceError, match=r"v2026\.6\.0 ends with the race of 2026-04-07; the one here ends with"
    ):
        fetch()
    with pytest.raises(SourceError, match="never knows less"):
        fetch(force=True)
    assert path.read_bytes() == zips["two races"].read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer.update(assets=answer["assets"][:1]),
        lambda answer: answer["assets"][1].update(state="starter"),
    ],
)
def test_a_release_without_its_zip_is_not_yet(
    fetch: Fetch, github: GitHub, change: Callable[[dict[str, Any]], object]
) -> None:
    github.change = change
    with pytest.raises(NotPublished, match=r"v2026\.4\.0 has no f1db-csv\.zip yet"):
        fetch()
    github.change = lambda answer: None
    assert fetch().is_new


def test_a_zip_that_is_announced_but_missing_is_not_yet(fetch: Fetch, github: GitHub) -> None:
    github.server.give("/assets/1", Reply(status=404))
    with pytest.raises(NotPublished, match="not there yet"):
        fetch()


def test_another_form_of_description_is_an_error(fetch: Fetch, github: GitHub) -> None:
    github.change = lambda answer: answer.pop("assets")
    with pytest.raises(SourceSchemaError, match="tag_name and assets"):
        fetch()
    github.change = lambda answer: answer["assets"][1].pop("browser_download_url")
    with pytest.raises(SourceSchemaError, match="names no address"):
        fetch()


def test_no_network_and_no_disk_leave_what_is_here(
    fetch: Fetch, github: GitHub, settings: Settings, quota: Quota
) -> None:
    path = fetch().path
    with pytest.raises(SourceUnavailable, match="PARCFERME_OFFLINE"):
        fetch_release(settings, quota=Quota(quota.path, offline=True), now=NOW, url=github.server.url(API))
    github.server.give(API, Reply(status=503))
    with pytest.raises(SourceUnavailable):
        fetch()
    assert path.read_bytes() == github.body
    blocked = load_settings(data=settings.data / "fetched" / "f1db" / "f1db-csv.zip")
    github.server.routes[API] = github.describe
    with pytest.raises(WarehouseError, match="cannot be written"):
        fetch_release(blocked, quota=quota, now=NOW, url=github.server.url(API))


# --- which zip is newer -----------------------------------------------------------------------------------------------


def test_the_zip_with_the_newer_facts_is_read_whatever_the_files_dates(
    zips: dict[str, Path], tmp_path: Path
) -> None:
    order = ["one race", "one race and practice", "one race and qualifying", "two races"]
    assert sorted(order, key=lambda name: reach(zips[name])) == order
    assert len({reach(path) for path in zips.values()}) == 4
    for older, newer in itertools.pairwise(order):
        old, new = tmp_path / f"{older}.zip", tmp_path / f"{newer} new.zip"
        shutil.copy(zips[older], old)
        shutil.copy(zips[newer], new)
        os.utime(new, (0, 0))  # a file date says nothing
        assert newest_f1db(old, new) == new
        assert newest_f1db(new, old) == new
    assert reach(zips["two races"]).race == dt.date(2026, 4, 21)


def test_equal_reach_prefers_the_release(zips: dict[str, Path], tmp_path: Path) -> None:
    copy = Path(shutil.copy(zips["two races"], tmp_path / "copy.zip"))
    choice = choose_f1db(zips["two races"], copy)
    assert choice.path == copy and "as far" in choice.reason and choice.problem == ""
    choice = choose_f1db(zips["two races"], zips["one race"])
    assert (
        choice.path == zips["two races"] and "2026-04-21" in choice.reason and "2026-04-07" in choice.reason
    )


def test_a_damaged_zip_is_passed_over_and_that_is_said(zips: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(zips["two races"].read_bytes()[:-3000])
    for archive, fetched in ((broken, zips["one race"]), (zips["one race"], broken)):
        choice = choose_f1db(archive, fetched)
        assert choice.path == zips["one race"] and "broken.zip" in choice.problem
    with pytest.raises(SourceError, match=r"broken\.zip"):
        choose_f1db(broken, Path(shutil.copy(broken, tmp_path / "broken too.zip")))
    with pytest.raises(SourceError, match="neither an archive nor a fetched release"):
        newest_f1db(None, tmp_path / "none.zip")


def test_the_real_zip_reaches_as_far_as_its_readme_says(archive: Path, zips: dict[str, Path]) -> None:
    real = zip_path(archive)
    assert reach(real).race == dt.date(2026, 6, 28)
    assert newest_f1db(real, zips["two races"]) == real
    assert newest_f1db(zips["two races"], real) == real
