"""Tools for those who work on Watchbell."""
