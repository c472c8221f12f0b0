"""Golden history: results that people argue about, as the record has them."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from f1core.labels import race_labels
from warehouse.reader import Reader


def result(reader: Reader, event: str, session: str = "race") -> pl.DataFrame:
    return reader.query(
        "select * from race_results where event_id = $event and session = $session order by display_order",
        {"event": event, "session": session},
    )


def of(rows: pl.DataFrame, driver: str) -> dict[str, Any]:
    return rows.filter(pl.col("driver_id") == driver).row(0, named=True)


def standings(reader: Reader, event: str) -> pl.DataFrame:
    return reader.query(
        "select * from driver_standings where event_id = $event order by display_order", {"event": event}
    )


def test_1997_schumacher_keeps_78_points_and_loses_the_championship(reader: Reader) -> None:
    final = standings(reader, "1997-europe")
    struck = of(final, "michael-schumacher")
    assert (struck["position"], struck["position_text"], struck["points"]) == (None, "DSQ", 78.0)
    assert struck["is_champion"] is False
    before = of(standings(reader, "1997-japan"), "michael-schumacher")
    assert (before["position"], before["points"]) == (1, 78.0), "he led until the last race"
    won = of(final, "jacques-villeneuve")
    assert (won["position"], won["points"], won["is_champion"]) == (1, 81.0, True)
    assert of(final, "heinz-harald-frentzen")["position"] == 2, "everyone behind him moved up"
    scored = reader.query(
        "select sum(points) from race_results where season = 1997 and driver_id = 'michael-schumacher'"
    )
    assert scored.item() == 78.0
    assert of(result(reader, "1997-europe"), "michael-schumacher")["status"] == "retired"


def test_2025_las_vegas_both_mclarens_are_disqualified(reader: Reader) -> None:
    rows = result(reader, "2025-las-vegas")
    for driver in ("lando-norris", "oscar-piastri"):
        line = of(rows, driver)
        assert (line["status"], line["position"], line["points"]) == ("disqualified", None, 0.0)
        assert line["is_starter"] is True
    assert rows["driver_id"].head(3).to_list() == ["max-verstappen", "george-russell", "kimi-antonelli"]
    labels = race_labels(rows)
    assert labels.height == 20
    assert labels.tail(2)["driver_id"].to_list() == ["lando-norris", "oscar-piastri"]
    assert labels.tail(2)["position"].to_list() == [19, 20], "a disqualified starter finishes last"
    assert labels.tail(2)["is_dnf"].to_list() == [False, False]
    assert labels.tail(2)["gap_s"].to_list() == [None, None]


def test_2021_belgium_gave_half_points(reader: Reader) -> None:
    rows = result(reader, "2021-belgium")
    assert rows["points"].head(11).to_list() == [12.5, 9.0, 7.5, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.5, 0.0]
    assert rows["driver_id"].head(3).to_list() == ["max-verstappen", "george-russell", "lewis-hamilton"]
    assert set(rows["laps"].to_list()) == {1}


def test_1950_shared_drives_are_lines_of_their_own_and_one_start_each(reader: Reader) -> None:
    shared = reader.query(
        "select event_id, sum(is_shared_car::int)::int as shared from race_results where season = 1950 group by 1 order by 1"
    )
    assert dict(shared.iter_rows()) == {
        "1950-belgium": 0,
        "1950-france": 2,
        "1950-great-britain": 2,
        "1950-indianapolis": 3,
        "1950-italy": 2,
        "1950-monaco": 0,
        "1950-switzerland": 0,
    }
    labels = race_labels(reader.query("select * from race_results where season between 1950 and 1964"))
    assert not labels.select("event_id", "driver_id").is_duplicated().any(), "one row per driver"


def test_1951_france_fagioli_and_fangio_shared_the_win(reader: Reader) -> None:
    """They swapped cars: both are first with one car and eleventh with the other, and share eight points and one."""
    rows = result(reader, "1951-france").filter(
        pl.col("driver_id").is_in(["luigi-fagioli", "juan-manuel-fangio"])
    )
    assert rows.select("driver_id", "position", "points", "is_shared_car").rows() == [
        ("luigi-fagioli", 1, 4.0, False),
        ("juan-manuel-fangio", 1, 5.0, True),
        ("juan-manuel-fangio", 11, 0.0, False),
        ("luigi-fagioli", 11, 0.0, True),
    ]
    labels = race_labels(result(reader, "1951-france"))
    assert labels.filter(pl.col("driver_id") == "luigi-fagioli")["position"].to_list() == [1]
    assert labels.filter(pl.col("driver_id") == "juan-manuel-fangio")["position"].to_list() == [2]


@pytest.mark.parametrize(
    ("event", "champion", "points"),
    [
        ("1950-italy", "nino-farina", 30.0),
        ("1976-japan", "james-hunt", 69.0),
        ("1988-australia", "ayrton-senna", 90.0),
        ("1994-australia", "michael-schumacher", 92.0),
        ("2007-brazil", "kimi-raikkonen", 110.0),
        ("2008-brazil", "lewis-hamilton", 98.0),
        ("2010-abu-dhabi", "sebastian-vettel", 256.0),
        ("2016-abu-dhabi", "nico-rosberg", 385.0),
        ("2021-abu-dhabi", "max-verstappen", 395.5),
        ("2024-abu-dhabi", "max-verstappen", 437.0),
        ("2025-abu-dhabi", "lando-norris", 423.0),
    ],
)
def test_champions(reader: Reader, event: str, champion: str, points: float) -> None:
    first = standings(reader, event).row(0, named=True)
    assert (first["driver_id"], first["points"], first["is_champion"]) == (champion, points, True)


def test_dropped_scores_counted_before_1991(reader: Reader) -> None:
    """1988: Prost scored more than Senna, who was champion with his eleven best results."""
    scored = dict(
        reader.query(
            "select driver_id, sum(points) from race_results where season = 1988 group by 1"
        ).iter_rows()
    )
    assert (scored["alain-prost"], scored["ayrton-senna"]) == (105.0, 94.0)
    assert of(standings(reader, "1988-australia"), "alain-prost")["points"] == 87.0


def test_pit_lane_starts_and_penalties(reader: Reader) -> None:
    grid = reader.query(
        "select * from starting_grids where event_id = '2025-las-vegas' order by display_order"
    )
    assert grid["driver_id"][0] == "lando-norris"
    pit = reader.query("select * from starting_grids where is_pit_lane_start and season >= 2018")
    assert pit.height > 20
    assert pit["position"].null_count() == pit.height
    back = reader.query("select * from starting_grids where penalty_text = 'SFB' and season >= 2018")
    assert back.height > 10


def test_the_sprint_is_a_session_of_its_own(reader: Reader) -> None:
    sprint = result(reader, "2024-china", "sprint")
    race = result(reader, "2024-china")
    assert sprint["driver_id"][0] == race["driver_id"][0] == "max-verstappen"
    assert sprint["points"].head(8).to_list() == [8, 7, 6, 5, 4, 3, 2, 1]
    assert race["points"][0] == 25.0
    events = reader.query(
        "select count(*) from events where is_sprint and season between 2021 and 2025"
    ).item()
    assert events == 3 + 3 + 6 + 6 + 6


def test_labels_count_starters_by_the_products_definition(reader: Reader) -> None:
    labels = race_labels(reader.query("select * from race_results where season >= 2010"))
    sizes = labels.group_by("event_id").agg(pl.len(), pl.col("position").max(), pl.col("is_winner").sum())
    assert (sizes["len"] == sizes["position"]).all()
    assert (sizes["is_winner"] == 1).all()
    # 2024 Australia: Sargeant gave his car to Albon and did not start.
    rows = result(reader, "2024-australia")
    assert "logan-sargeant" not in set(race_labels(rows)["driver_id"])
    assert race_labels(rows).height == 19
    # 2005 United States: six cars took the start.
    assert race_labels(result(reader, "2005-united-states")).height == 6
