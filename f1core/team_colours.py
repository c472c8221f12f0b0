"""Colours of teams by season, kept by hand after their liveries, made legible on a white and on a near-black page.

A colour never stands alone: team mates share it and differ by dash, and every line carries its label. Teams without an
entry (most of those before 1990) get a colour made from their name, the same every time.
"""

from __future__ import annotations

import colorsys
import zlib
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import polars as pl

LIVERIES: Mapping[str, tuple[tuple[int, int, str], ...]] = MappingProxyType(
    {
        "alfa-romeo": ((1950, 1951, "#8A1E1E"), (1979, 1985, "#C4122E"), (2019, 2023, "#A42134")),
        "alphatauri": ((2020, 2023, "#2B4562"),),
        "alpine": ((2021, 2023, "#2293D1"), (2024, 2026, "#0093CC")),
        "andrea-moda": ((1992, 1992, "#3A3A3A"),),
        "arrows": (
            (1978, 1990, "#C9A24B"),
            (1997, 1997, "#6A8FD0"),
            (1998, 1999, "#4A4A4A"),
            (2000, 2002, "#F47600"),
        ),
        "aston-martin": ((1959, 1960, "#1B5E43"), (2021, 2026, "#229971")),
        "audi": ((2026, 2026, "#BB0A30"),),
        "bar": ((1999, 2005, "#B58B8B"),),
        "benetton": ((1986, 1990, "#00A650"), (1991, 1993, "#F2C500"), (1994, 2001, "#5FB4E5")),
        "bmw-sauber": ((2006, 2009, "#8FA6D6"),),
        "brabham": ((1962, 1992, "#1D5A96"),),
        "brawn": ((2009, 2009, "#B5D334"),),
        "brm": ((1951, 1977, "#49604C"),),
        "cadillac": ((2026, 2026, "#B49759"),),
        "caterham": ((2012, 2014, "#00794A"),),
        "cooper": ((1950, 1969, "#0B6E4F"),),
        "dallara": ((1988, 1992, "#D21E1E"),),
        "ferrari": ((1950, 2026, "#E8002D"),),
        "footwork": ((1991, 1996, "#C77A2E"),),
        "force-india": ((2008, 2008, "#D6A545"), (2009, 2016, "#F58025"), (2017, 2018, "#F596C8")),
        "haas": ((2016, 2020, "#9B7A4B"), (2021, 2026, "#8E9396")),
        "honda": ((1964, 1968, "#B9473F"), (2006, 2008, "#4C8C4A")),
        "hrt": ((2010, 2010, "#8C4A45"), (2011, 2012, "#8A6F3C")),
        "jaguar": ((2000, 2004, "#0F6B45"),),
        "jordan": ((1991, 1995, "#1F9E5A"), (1996, 2005, "#F5C400")),
        "kick-sauber": ((2024, 2025, "#52E252"),),
        "larrousse": ((1992, 1994, "#2F8F6B"),),
        "leyton-house": ((1990, 1991, "#3FB8AF"),),
        "ligier": ((1976, 1996, "#2F6FD0"),),
        "lola": ((1962, 1997, "#7F5AA8"),),
        "lotus": (
            (1958, 1967, "#1E6B3A"),
            (1968, 1971, "#B33A3A"),
            (1972, 1986, "#8F7430"),
            (1987, 1994, "#E0B000"),
        ),
        "lotus-f1": ((2012, 2015, "#B89B5E"),),
        "lotus-racing": ((2010, 2011, "#1F7A4C"),),
        "manor": ((2016, 2016, "#C8503A"),),
        "march": ((1970, 1992, "#D4583B"),),
        "marussia": ((2012, 2015, "#6E0000"),),
        "maserati": ((1950, 1960, "#C0392B"),),
        "matra": ((1967, 1972, "#2458B3"),),
        "mclaren": (
            (1966, 1973, "#FF8000"),
            (1974, 1996, "#E4473A"),
            (1997, 2014, "#8D9AA5"),
            (2015, 2016, "#5C6166"),
            (2017, 2026, "#FF8000"),
        ),
        "mercedes": ((1954, 1955, "#9AA0A6"), (2010, 2019, "#00A19B"), (2020, 2026, "#27F4D2")),
        "midland": ((2006, 2006, "#C94A1E"),),
        "minardi": ((1985, 1995, "#D9B310"), (1996, 2000, "#A07A2A"), (2001, 2005, "#3D3D4A")),
        "osella": ((1980, 1990, "#5D6BB5"),),
        "pacific": ((1994, 1995, "#3FA7D6"),),
        "prost": ((1997, 2001, "#2F7FE0"),),
        "racing-bulls": ((2025, 2026, "#6692FF"),),
        "racing-point": ((2019, 2020, "#F596C8"),),
        "rb": ((2024, 2024, "#6692FF"),),
        "red-bull": ((2005, 2016, "#2B3A8F"), (2017, 2026, "#3671C6")),
        "renault": ((1977, 1985, "#E6C200"), (2002, 2006, "#4FA3DA"), (2007, 2020, "#FFD800")),
        "sauber": (
            (1993, 1994, "#40434A"),
            (1995, 2005, "#0F9D9A"),
            (2010, 2014, "#4F5357"),
            (2015, 2017, "#006EFF"),
            (2018, 2018, "#9B1C31"),
        ),
        "simtek": ((1994, 1995, "#7B4FA0"),),
        "spyker": ((2007, 2007, "#E8641B"),),
        "stewart": ((1997, 1999, "#5E7FA3"),),
        "super-aguri": ((2006, 2008, "#B5202A"),),
        "toro-rosso": ((2006, 2016, "#4A5BFF"), (2017, 2019, "#469BFF")),
        "toyota": ((2002, 2009, "#D0637C"),),
        "tyrrell": ((1970, 1998, "#5A4FC0"),),
        "vanwall": ((1954, 1960, "#14573A"),),
        "virgin": ((2010, 2011, "#C8344E"),),
        "williams": (
            (1977, 1993, "#C7A008"),
            (1994, 1997, "#1F4FA8"),
            (1998, 1999, "#C43B3B"),
            (2000, 2013, "#4C7FC9"),
            (2014, 2017, "#8FB8DE"),
            (2018, 2026, "#64C4FF"),
        ),
    }
)
"""First season, last season and colour of each livery; an approximation of what was painted on the car."""

LIGHT, DARK = (1.0, 1.0, 1.0), (0.055, 0.067, 0.09)
"""The two pages a colour has to be seen on (sRGB)."""
CONTRAST = 2.5
"""Least contrast with either page; marks carry labels too."""
DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (1, 4), (12, 4))
"""Stroke pattern [px] by place within the team: solid, dashed, dotted …"""


def livery(constructor_id: str, season: int) -> str | None:
    """The hand-kept colour of a team in a season, as painted; None without one."""
    for first, last, colour in LIVERIES.get(constructor_id, ()):
        if first <= season <= last:
            return colour
    return None


@lru_cache(maxsize=4096)
def team_colour(constructor_id: str, season: int) -> str:
    """The colour of a team in a season, e.g. ``#E8002D``, legible on the light and the dark page."""
    return legible(livery(constructor_id, season) or _made_up(constructor_id))


def _made_up(name: str) -> str:
    """A colour from a name: its hue and strength by a checksum, never grey."""
    number = zlib.crc32(name.encode())
    hue, strength = number % 360 / 360, 0.45 + (number // 360) % 40 / 100
    return _hex(colorsys.hls_to_rgb(hue, 0.45, strength))


def legible(colour: str) -> str:
    """The nearest lightness of the same hue that keeps :data:`CONTRAST` to both pages.

    Args:
        colour: ``#RRGGBB``.
    """
    hue, light, strength = colorsys.rgb_to_hls(*_rgb(colour))
    steps = sorted((abs(step / 100 - light), step / 100) for step in range(101))
    for _, tried in ((0.0, light), *steps):
        rgb = colorsys.hls_to_rgb(hue, tried, strength)
        if contrast(rgb, LIGHT) >= CONTRAST and contrast(rgb, DARK) >= CONTRAST:
            return _hex(rgb)
    raise AssertionError("some grey is legible on both pages")


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Contrast ratio of two colours as WCAG defines it, 1 to 21."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(rgb: tuple[float, float, float]) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in rgb
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(rgb: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(value * 255):02X}" for value in rgb)


def with_team_colours(
    frame: pl.DataFrame, season: int | str, *, order: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Adds the colour of each row's team, and a dash that tells its cars apart.

    Args:
        frame: With ``constructor_id`` (null gives the neutral grey) and, where rows are drivers, ``driver_id``.
        season: The season, or the name of the column that has it.
        order: ``driver_id, car_order`` of :func:`warehouse.queries.drivers.season_drivers`, so that a driver keeps his dash
            from page to page; without it the team's drivers in the frame count, by name.

    Returns:
        The frame with ``team_colour`` (``#RRGGBB``) and ``team_dash`` (place in :data:`DASHES`; 0 where rows are teams).
    """
    by = pl.col(season) if isinstance(season, str) else pl.lit(season)
    keyed = frame.with_columns(_season=by.cast(pl.Int32))
    seen = keyed.select("constructor_id", "_season").unique()
    colours = seen.with_columns(
        team_colour=pl.Series(
            [
                NO_TEAM if team is None or year is None else team_colour(team, year)
                for team, year in seen.iter_rows()
            ],
            dtype=pl.String,
        )
    )
    found = keyed.join(
        colours, on=["constructor_id", "_season"], how="left", nulls_equal=True, maintain_order="left"
    )
    if "driver_id" not in frame.columns:
        place = pl.lit(0)
    elif order is None:
        place = pl.col("driver_id").rank("dense").over("constructor_id", "_season") - 1
    else:
        known = order.select("driver_id", _place=pl.col("car_order"))
        found = found.join(known, on="driver_id", how="left", maintain_order="left")
        place = pl.col("_place").fill_null(0)
    return found.with_columns(team_dash=(place % len(DASHES)).cast(pl.Int32)).drop(
        "_season", "_place", strict=False
    )


NO_TEAM = "#767A82"
"""Of a driver without a team."""
