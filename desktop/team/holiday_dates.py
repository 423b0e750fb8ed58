"""Public holidays as dates: the `holidays` library's, and those that a team file adds. Any thread.

The library is imported when a file first names a country, and of its 250 countries only that one: they are most of what
importing it costs. What it answered is kept: later files of the same country cost nothing.
"""

import warnings
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

from desktop.team import times, words
from desktop.team.reader import Table
from desktop.team.words import Near, Wrong

if TYPE_CHECKING:
    from holidays import HolidayBase

# Whole years, whatever the clock says, so that one file always means the same; 100 years take 10 to 25 ms.
YEARS = range(2000, 2101)


def holidays(top: Table) -> Mapping[date, str]:
    """Return ``[holidays]``: the names of all holidays of ``YEARS`` by date, with the extra ones over them."""
    with top.table("holidays") as table:
        country = table.get("country", _country)
        subdivision = table.get("subdivision", words.text)
        found = dict(_official(table, country, subdivision)) if country is not None else {}
        if subdivision is not None and not table.has("country"):
            table.wrong("subdivision", "needs a country beside it.")
        found |= _extra(table)
    return MappingProxyType(found)


def _extra(table: Table) -> dict[date, str]:
    found: dict[date, str] = {}
    for each in table.tables("extra"):
        day = each.need("date", times.day)
        name = each.get("name", words.text) or "Holiday"
        if day in found:
            each.wrong("date", f"{day} stands twice.")
        if day is not None:
            found[day] = name
    return found


def _official(table: Table, country: str, subdivision: str | None) -> Mapping[date, str]:
    try:
        return _dates(country, subdivision)
    except NotImplementedError:
        table.wrong("subdivision", f"{words.said(subdivision)} is no part of {country}", _near(country, subdivision))
        return {}


@lru_cache(maxsize=32)
def _dates(country: str, subdivision: str | None) -> Mapping[date, str]:
    """Return the holidays of a country; raise ``NotImplementedError`` for a subdivision that the library has not."""
    with warnings.catch_warnings():
        # For some countries it warns that it does not know the dates of every year.
        warnings.simplefilter("ignore")
        found = _calendar(country)(subdiv=subdivision, years=YEARS)
    return MappingProxyType(dict(found))


@cache
def _calendar(country: str) -> "type[HolidayBase]":
    """Return the library's class for a country's code."""
    from holidays.registry import COUNTRIES  # noqa: PLC0415 - see the top of this file

    module, names = next((module, names) for module, names in COUNTRIES.items() if country in names[1:3])
    calendar: type[HolidayBase] = getattr(_alone(module), names[0])
    return calendar


def _alone(country: str) -> ModuleType:
    """Return the library's module ``country``, imported without all others.

    They come with ``holidays.countries``, which any import of one of them begins with. No module needs them, but for a
    few territories that build on another country: these still import all.
    """
    import holidays  # noqa: PLC0415 - see the top of this file

    name = f"holidays.countries.{country}"
    spec = PathFinder.find_spec(name, [f"{folder}/countries" for folder in holidays.__path__])
    if spec is None or spec.loader is None:
        # In a packager's archive modules are no files.
        return import_module(name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _country(value: object) -> str:
    """Return a country's code as the library knows it."""
    from holidays.registry import COUNTRIES  # noqa: PLC0415 - see the top of this file

    code = words.text(value)
    if any(code in names[1:3] for names in COUNTRIES.values()):
        return code
    by_name = {name.replace("_", " "): names[1] for name, names in COUNTRIES.items()}
    otherwise = "write a two-letter country code as the holidays library has it, for example US, DE or GB"
    near = words.nearest(code, by_name.values(), by_name, otherwise=otherwise)
    raise Wrong(f"{words.said(code)} is no country that is known", near)


def _near(country: str, subdivision: str | None) -> Near:
    known = _calendar(country)
    otherwise = "" if known.subdivisions else "it has none there, leave this out"
    return words.nearest(subdivision or "", known.subdivisions, known.subdivisions_aliases, otherwise=otherwise)
