"""FastF1's parsed files are pickles: what may be in them, and what happens to one that is hostile or cut."""

from __future__ import annotations

import datetime as dt
import io
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from f1core.settings import load_settings
from f1core.sources.recorded import SessionRef
from f1core.sources.safe_pickle import ALLOWED, CacheFiles
from f1core.sources.timing import fetch_session
from tests.small_fastf1_archive import BAHRAIN, BAHRAIN_FOLDER, small_archive
from warehouse.errors import UnsafeCache
from warehouse.vocab import SessionKind

SPRINT = SessionRef("2023-azerbaijan", SessionKind.SPRINT)


def read_all(files: CacheFiles, path: Path) -> Any:
    with path.open("rb") as handle:
        return files.load(handle)


class Payload:
    """A pickle of it calls a function when it is loaded."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def hostile(canary: Path) -> bytes:
    """As FastF1 writes its files, with a command in the middle of the data."""
    return pickle.dumps({"version": 15, "data": {"Time": [Payload(os.system, f"touch {canary}")]}})


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (os.system, ("true",)),
        (eval, ("1",)),
        (getattr, (dict, "get")),
        (__import__, ("os",)),
        (pd.read_pickle, ("/tmp/none",)),
        (pd.eval, ("1",)),
        (np.load, ("/tmp/none",)),
        (np.fromfile, ("/tmp/none",)),
        (io.open, ("/tmp/none",)),
        (shutil.rmtree, ("/tmp/none",)),
    ],
)
def test_a_pickle_may_not_call(
    function: Callable[..., Any], arguments: tuple[Any, ...], tmp_path: Path
) -> None:
    path = tmp_path / "hostile.ff1pkl"
    path.write_bytes(pickle.dumps({"version": 15, "data": Payload(function, *arguments)}))
    files = CacheFiles(version=15)
    with pytest.raises(UnsafeCache, match=r"hostile.ff1pkl was not opened: it names .*\. Delete that file"):
        read_all(files, path)
    assert files.refused[0].is_hostile
    with pytest.raises(UnsafeCache):
        files.check()


def test_the_list_holds_types_and_their_makers_only() -> None:
    for module, name in ALLOWED:
        assert not name.startswith(("read", "load", "eval", "from", "open", "get", "exec")), (module, name)
    assert {module for module, _ in ALLOWED} & {
        "os",
        "posix",
        "sys",
        "subprocess",
        "pandas",
        "codecs",
    } == set()


def test_what_honest_files_hold_passes(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "Time": pd.to_timedelta([1, None], unit="s"),
            "Date": pd.to_datetime(["2023-03-04", None]),
            "Speed": [1.5, np.nan],
            "nGear": np.array([1, 2], dtype="int64"),
            "Brake": [True, False],
            "Status": ["OnTrack", None],
            "Source": pd.Categorical(["car", "pos"]),
        }
    )
    content = {
        "version": 15,
        "data": (
            frame,
            {"a": [dt.timedelta(1), dt.datetime(2023, 3, 4), None, pd.NaT, pd.Timestamp(0), pd.Timedelta(1)]},
            np.float64(1),
        ),
    }
    path = tmp_path / "honest.ff1pkl"
    with path.open("wb") as handle:
        CacheFiles(version=15).dump(content, handle)
    files = CacheFiles(version=15)
    loaded = read_all(files, path)
    pd.testing.assert_frame_equal(loaded["data"][0], frame)
    assert loaded["data"][1] == content["data"][1]
    assert files.refused == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (pickle.dumps({"version": 15, "data": list(range(1000))})[:700], "cut short"),
        (b"", "cut short"),
        (b"\x80\x04garbage", "damaged"),
        (b'{"version": 15}', "damaged"),
        (pickle.dumps([1, 2]), "not one of FastF1's parsed files"),
        (pickle.dumps({"data": 1}), "not one of FastF1's parsed files"),
        (pickle.dumps({"version": 13, "data": 1}), "version 13 of FastF1's parsed form, not 15"),
    ],
)
def test_a_damaged_file_is_refused_or_discarded(body: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "laps.ff1pkl"
    path.write_bytes(body)
    recorded = CacheFiles(version=15)
    with pytest.raises(UnsafeCache, match=reason):
        read_all(recorded, path)
    assert path.exists() and not recorded.refused[0].is_hostile
    with pytest.raises(UnsafeCache, match=reason):
        recorded.check()
    own = CacheFiles(version=15, discard_damaged=True)
    with pytest.raises(UnsafeCache, match=reason):
        read_all(own, path)
    assert not path.exists()
    own.check()  # it is read from the network again


def test_a_hostile_file_is_never_discarded(tmp_path: Path) -> None:
    path, canary = tmp_path / "laps.ff1pkl", tmp_path / "canary"
    path.write_bytes(hostile(canary))
    own = CacheFiles(version=15, discard_damaged=True)
    with pytest.raises(UnsafeCache):
        read_all(own, path)
    assert path.exists() and not canary.exists()
    with pytest.raises(UnsafeCache, match="system"):
        own.check()


def test_a_hostile_file_in_an_archive_ends_the_reading(archive: Path, tmp_path: Path) -> None:
    small, settings = small_archive(archive, tmp_path), load_settings(data=tmp_path / "data")
    canary = tmp_path / "canary"
    spoilt = small / "fastf1-cache/parsed" / BAHRAIN_FOLDER / "weather_data.ff1pkl"
    spoilt.write_bytes(hostile(canary))
    with pytest.raises(UnsafeCache) as caught:
        fetch_session(settings, BAHRAIN, archive=small, network=False)
    assert str(spoilt) in caught.value.message
    assert "system" in caught.value.message and "Delete that file" in caught.value.hint
    assert not canary.exists()
    assert not list(settings.fetched_root.rglob("*"))
    assert not list((settings.cache_root / "timing").iterdir())


def test_a_cut_file_in_an_archive_ends_the_reading(archive: Path, tmp_path: Path) -> None:
    small, settings = small_archive(archive, tmp_path), load_settings(data=tmp_path / "data")
    spoilt = small / "fastf1-cache/parsed" / BAHRAIN_FOLDER / "race_control_messages.ff1pkl"
    body = spoilt.read_bytes()
    spoilt.write_bytes(body[: len(body) // 2])
    with pytest.raises(UnsafeCache, match="race_control_messages.ff1pkl was not opened: it is cut short"):
        fetch_session(settings, BAHRAIN, archive=small, network=False, telemetry=False)
    assert spoilt.read_bytes() == body[: len(body) // 2]  # an archive is never written


@pytest.mark.slow
def test_a_cut_answer_in_an_archive_ends_the_reading(archive: Path, tmp_path: Path) -> None:
    small, settings = small_archive(archive, tmp_path), load_settings(data=tmp_path / "data")
    answers = small / "fastf1-cache" / "http_cache"
    spoilt = next(p for p in answers.iterdir() if "2023-04-29_Sprint/TrackStatus" in p.read_text())
    text = spoilt.read_text()
    spoilt.unlink()
    spoilt.write_text(text[: text.index('"url"') + 200])
    with pytest.raises(UnsafeCache, match=f"{spoilt.name} was not opened"):
        fetch_session(settings, SPRINT, archive=small, network=False)
