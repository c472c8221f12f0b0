"""An invented session in the forms in which FastF1 keeps one: parsed files, raw streams, frozen answers of the web."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import pickle
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.made_up_timing import Floats, MadeUpSession

VERSION = 15
"""FastF1 3.9.0's version of what it keeps parsed."""
SCHEDULES = "https://raw.githubusercontent.com/theOehrly/f1schedule/master"
TIMING = "https://livetiming.formula1.com/static"


# --- parsed ----------------------------------------------------------------------------------------------------------


def delta(seconds: Floats | float) -> Any:
    """Seconds as FastF1's numpy time deltas."""
    return (np.rint(np.asarray(seconds) * 1000).astype("timedelta64[ms]")).astype("timedelta64[ns]")


def heard(at: Floats) -> Floats:
    """When the feed sent a sample: four or so at a time, with the last one of them."""
    last = np.minimum(np.arange(len(at)) // 4 * 4 + 3, len(at) - 1)
    return at[last]


def car_frames(session: MadeUpSession) -> dict[str, Any]:
    """``car_data`` as FastF1's parser leaves it: one frame per car."""
    import pandas as pd

    at = session.times()
    time, date = delta(heard(at)), np.datetime64(session.begins.replace(tzinfo=None), "ns") + delta(at)
    frames = {}
    for car in session.grid:
        seen = session.channels(car, at)
        whole = {
            "RPM": seen.rpm,
            "Speed": seen.speed,
            "nGear": seen.gear,
            "Throttle": seen.throttle,
            "Brake": seen.braking,
            "DRS": seen.drs,
        }
        frames[car.number] = pd.DataFrame(
            {
                "Time": time,
                "Date": date,
                **{n: v if v.dtype == bool else v.astype(np.int64) for n, v in whole.items()},
                "Source": np.full(len(at), "car", dtype=object),
            }
        )
    return frames


def position_frames(session: MadeUpSession) -> dict[str, Any]:
    """``position_data`` as FastF1's parser leaves it; tenths of a metre, at instants of its own."""
    import pandas as pd

    at = session.times(shift=0.07)
    time, date = delta(heard(at)), np.datetime64(session.begins.replace(tzinfo=None), "ns") + delta(at)
    frames = {}
    for car in session.grid:
        seen = session.channels(car, at)
        frames[car.number] = pd.DataFrame(
            {
                "Time": time,
                "Date": date,
                "Status": np.where(seen.speed > 0, "OnTrack", "OffTrack").astype(object),
                "X": np.rint(seen.x_m * 10).astype(np.int64),
                "Y": np.rint(seen.y_m * 10).astype(np.int64),
                "Z": np.full(len(at), 70, dtype=np.int64),
                "Source": np.full(len(at), "pos", dtype=object),
            }
        )
    return frames


def timing_frames(session: MadeUpSession) -> tuple[Any, Any, list[dt.timedelta]]:
    """``_extended_timing_data``: laps, the stream of places and gaps, the starts of Q1, Q2, Q3."""
    import pandas as pd

    rows, stream = [], []
    for car in session.grid:
        best = np.inf
        for lap in session.laps(car):
            took = lap.end_s - lap.start_s
            timed = lap.kind != "out"
            parts = np.array([0.32, 0.44, 0.24]) * took
            marks = lap.start_s + np.cumsum(parts)
            is_best = lap.kind == "push" and took < best
            best = min(best, took) if lap.kind == "push" else best
            rows.append(
                {
                    "Time": delta(lap.end_s),
                    "Driver": car.number,
                    "LapTime": delta(took) if timed else np.timedelta64("NaT", "ns"),
                    "NumberOfLaps": lap.number,
                    "NumberOfPitStops": lap.stint,
                    "PitOutTime": delta(lap.leave_s) if lap.kind == "out" else np.timedelta64("NaT", "ns"),
                    "PitInTime": delta(lap.end_s - 2) if lap.kind == "in" else np.timedelta64("NaT", "ns"),
                    **{
                        f"Sector{n}Time": delta(parts[n - 1]) if timed else np.timedelta64("NaT", "ns")
                        for n in (1, 2, 3)
                    },
                    **{f"Sector{n}SessionTime": delta(marks[n - 1]) for n in (1, 2, 3)},
                    **{
                        name: float(round(kph * lap.pace))
                        for name, kph in zip(
                            ("SpeedI1", "SpeedI2", "SpeedFL", "SpeedST"), (240, 270, 288, 322), strict=True
                        )
                    },
                    "IsPersonalBest": is_best,
                }
            )
        for at in np.arange(10.0, session.length_s, 5.0):
            stream.append((delta(at), car.number, int(car.number)))
    places = pd.DataFrame(
        {
            "Time": np.array([one[0] for one in stream]),
            "Driver": [one[1] for one in stream],
            "Position": [one[2] for one in stream],
            "GapToLeader": np.nan,
            "IntervalToPositionAhead": np.nan,
        }
    )
    splits = [dt.timedelta(0), *(dt.timedelta(seconds=at) for at in session.splits_s[1:])]
    return pd.DataFrame(rows), places, [*splits, *([dt.timedelta(days=1)] * (3 - len(splits)))]


def tyre_frame(session: MadeUpSession) -> Any:
    """``timing_app_data``: the tyres of every stint."""
    import pandas as pd

    rows = []
    for car in session.grid:
        for lap in session.laps(car):
            if lap.kind == "out":
                rows.append(
                    {
                        "LapNumber": np.nan,
                        "Driver": car.number,
                        "LapTime": np.timedelta64("NaT", "ns"),
                        "Stint": lap.stint,
                        "TotalLaps": 0.0,
                        "Compound": ("SOFT", "MEDIUM", "HARD")[lap.stint % 3],
                        "New": "true",
                        "TyresNotChanged": "0",
                        "Time": delta(lap.leave_s - 30),
                        "LapFlags": np.nan,
                        "LapCountTime": None,
                        "StartLaps": 0.0,
                        "Outlap": None,
                    }
                )
    return pd.DataFrame(rows)


def small_parts(session: MadeUpSession) -> dict[str, Any]:
    """Everything that is kept as plain lists: people, statuses, weather, messages."""
    starts = session.begins.replace(tzinfo=None) + dt.timedelta(minutes=15)
    ends_s = session.length_s - 60
    minutes = [dt.timedelta(minutes=m) for m in range(int(session.length_s // 60))]
    status = [(5.0, "Inactive")]
    for start, end in zip(session.splits_s, [*session.splits_s[1:], ends_s], strict=True):
        status += [(start, "Started"), (end - 30, "Finished")]
    status += [(ends_s, "Finalised"), (session.length_s - 1, "Ends")]
    weather = {"AirTemp": 24.5, "Humidity": 31.0, "Pressure": 1011.2, "Rainfall": False, "TrackTemp": 37.0}
    return {
        "session_info": {
            "Meeting": {"Key": 1, "Name": "Lakeland Grand Prix", "Location": "Lakeside"},
            "Key": 1,
            "Type": session.name.split()[0],
            "Name": session.name,
            "StartDate": starts,
            "EndDate": starts + dt.timedelta(seconds=session.length_s - 900),
            "GmtOffset": dt.timedelta(0),
            "Path": "",
        },
        "driver_info": {
            car.number: {
                "RacingNumber": car.number,
                "BroadcastName": f"{car.first[0]} {car.last.upper()}",
                "Tla": car.code,
                "TeamName": car.team,
                "TeamColour": "808080",
                "FirstName": car.first,
                "LastName": car.last,
                "CountryCode": "NOR",
            }
            for car in session.grid
        },
        "session_status_data": {
            "Time": [dt.timedelta(seconds=at) for at, _ in status],
            "Status": [word for _, word in status],
        },
        "track_status_data": {"Time": [dt.timedelta(0)], "Status": ["1"], "Message": ["AllClear"]},
        "weather_data": {
            "Time": minutes,
            **{name: [value] * len(minutes) for name, value in weather.items()},
            "WindDirection": [140] * len(minutes),
            "WindSpeed": [1.4] * len(minutes),
        },
        "race_control_messages": {
            "Time": [starts],
            "Category": ["Flag"],
            "Message": ["GREEN LIGHT - PIT EXIT OPEN"],
            **{name: [None] for name in ("Status", "Scope", "Sector", "RacingNumber", "Lap")},
            "Flag": ["GREEN"],
        },
    }


def write_parsed(session: MadeUpSession, folder: Path, *, telemetry: bool = True) -> None:
    """Writes the session as FastF1 keeps it once parsed: ``<name>.ff1pkl`` files in ``folder``.

    Args:
        session: The session.
        folder: FastF1's folder of the session, under its cache.
        telemetry: Whether car and position data are among them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Any] = small_parts(session)
    parts |= {"_extended_timing_data": timing_frames(session), "timing_app_data": tyre_frame(session)}
    for name, data in parts.items():
        (folder / f"{name}.ff1pkl").write_bytes(pickle.dumps({"version": VERSION, "data": data}))
    if telemetry:
        for name, make in (("car_data", car_frames), ("position_data", position_frames)):
            (folder / f"{name}.ff1pkl").write_bytes(pickle.dumps({"version": VERSION, "data": make(session)}))


# --- the raw streams -------------------------------------------------------------------------------------------------


def clock(seconds: float) -> str:
    """A stream's time stamp, ``00:15:00.250``."""
    whole, milli = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{milli:03d}"


def _lines(at: Floats, wrap: str, entries: list[dict[str, Any]]) -> Iterator[str]:
    sent = heard(at)
    for first in range(0, len(at), 4):
        text = json.dumps({wrap: entries[first : first + 4]}, separators=(",", ":")).encode()
        squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = base64.b64encode(squeeze.compress(text) + squeeze.flush()).decode()
        yield f'{clock(float(sent[first]))}"{body}"\r\n'


def _instants(session: MadeUpSession, at: Floats) -> list[str]:
    begins = session.begins.replace(tzinfo=None)
    return [f"{(begins + dt.timedelta(seconds=float(s))).isoformat(timespec='milliseconds')}Z" for s in at]


def car_stream(session: MadeUpSession) -> str:
    """``CarData.z.jsonStream``: what the feed publishes."""
    at = session.times()
    seen = {car.number: session.channels(car, at) for car in session.grid}
    entries = [
        {
            "Utc": utc,
            "Cars": {
                number: {
                    "Channels": {
                        "0": int(one.rpm[row]),
                        "2": int(one.speed[row]),
                        "3": int(one.gear[row]),
                        "4": int(one.throttle[row]),
                        "5": 100 * int(one.braking[row]),
                        "45": int(one.drs[row]),
                    }
                }
                for number, one in seen.items()
            },
        }
        for row, utc in enumerate(_instants(session, at))
    ]
    return "".join(_lines(at, "Entries", entries))


def position_stream(session: MadeUpSession) -> str:
    """``Position.z.jsonStream``: what the feed publishes."""
    at = session.times(shift=0.07)
    seen = {car.number: session.channels(car, at) for car in session.grid}
    entries = [
        {
            "Timestamp": utc,
            "Entries": {
                number: {
                    "Status": "OnTrack" if one.speed[row] > 0 else "OffTrack",
                    "X": round(float(one.x_m[row]) * 10),
                    "Y": round(float(one.y_m[row]) * 10),
                    "Z": 70,
                }
                for number, one in seen.items()
            },
        }
        for row, utc in enumerate(_instants(session, at))
    ]
    return "".join(_lines(at, "Position", entries))


# --- an archive's cache ------------------------------------------------------------------------------------------------


def schedule(season: int, event_name: str, sessions: Mapping[str, dt.datetime]) -> bytes:
    """A season's schedule of one event, as FastF1's own source publishes it."""
    event: dict[str, Any] = {
        "round_number": 1,
        "country": "Norland",
        "location": "Lakeside",
        "official_event_name": event_name.upper(),
        "event_date": f"{max(sessions.values()):%Y-%m-%dT00:00:00}",
        "event_name": event_name,
        "event_format": "conventional",
        "gmt_offset": "00:00",
        "f1_api_support": True,
    }
    for number, (name, starts) in enumerate(sessions.items(), start=1):
        event |= {f"session{number}": name, f"session{number}_date": f"{starts:%Y-%m-%dT%H:%M:%S}"}
    return json.dumps({name: {"0": value} for name, value in event.items()}).encode()


def write_answers(folder: Path, bodies: Mapping[str, bytes]) -> None:
    """Writes answers of the web as FastF1's cache keeps them, one file each; nothing is asked."""
    import requests
    import requests_cache
    from requests_cache.backends.filesystem import FileCache
    from urllib3 import HTTPResponse

    class Made(requests.adapters.HTTPAdapter):
        """Answers with what was made up."""

        def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
            body = HTTPResponse(
                body=io.BytesIO(bodies[str(request.url)]),
                status=200,
                preload_content=False,
                headers={"Content-Type": "text/plain; charset=utf-8"},
            )
            return self.build_response(request, body)

    kept = requests_cache.CachedSession(
        backend=FileCache(folder), allowable_methods=("GET", "POST"), expire_after=requests_cache.NEVER_EXPIRE
    )
    kept.mount("https://", Made())
    for url in bodies:
        kept.get(url)
