"""Duties, signatures and calendars. Values only, any thread."""
