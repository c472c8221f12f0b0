"""Reads of drivers and constructors."""

from __future__ import annotations

import polars as pl

from warehouse.reader import Reader


def driver_names(reader: Reader) -> pl.DataFrame:
    """Names of all drivers: ``driver_id, driver_name, last_name, driver_code``."""
    return reader.query("select driver_id, driver_name, last_name, driver_code from drivers")


def constructor_names(reader: Reader) -> pl.DataFrame:
    """Names of all constructors: ``constructor_id, constructor_name``."""
    return reader.query("select constructor_id, constructor_name from constructors")
