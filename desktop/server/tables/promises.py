"""Heartbeats, maintenance windows, and what the engine finds of itself. Values only, any thread."""
