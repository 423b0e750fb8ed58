"""Keeps a live copy of each connection, and carries out what was clicked."""
