"""Public holidays as dates: the `holidays` library's, and those that a team file adds. Any thread.

The library takes half a second to import, all countries of it whichever is asked for, so it is imported when a file
first names a country. What it answered is kept: later files of the same country cost nothing.
"""

import warnings
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from desktop.team import times, words
from desktop.team.reader import Table
from desktop.team.words import Wrong

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
        table.wrong("subdivision", f"{words.said(subdivision)} is no part of {country}{_near(country, subdivision)}")
        return {}


@lru_cache(maxsize=32)
def _dates(country: str, subdivision: str | None) -> Mapping[date, str]:
    """Return the holidays of a country; raise ``NotImplementedError`` for a subdivision that the library has not."""
    from holidays import country_holidays  # noqa: PLC0415 - see the top of this file

    with warnings.catch_warnings():
        # For some countries it warns that it does not know the dates of every year.
        warnings.simplefilter("ignore")
        found = country_holidays(country, subdiv=subdivision, years=YEARS)
    return MappingProxyType(dict(found))


def _country(value: object) -> str:
    """Return a country's code as the library knows it."""
    from holidays.registry import COUNTRIES  # noqa: PLC0415 - see the top of this file

    code = words.text(value)
    if any(code in names[1:3] for names in COUNTRIES.values()):
        return code
    by_name = {name.replace("_", " "): names[1] for name, names in COUNTRIES.items()}
    raise Wrong(f"{words.said(code)} is no country that is known{words.nearest(code, by_name.values(), by_name)}")


def _near(country: str, subdivision: str | None) -> str:
    from holidays import country_holidays  # noqa: PLC0415 - see the top of this file

    known = country_holidays(country)
    return words.nearest(subdivision or "", known.subdivisions, known.subdivisions_aliases)
