"""Watchbell, a desktop pager."""

__version__ = "0.1.0"
