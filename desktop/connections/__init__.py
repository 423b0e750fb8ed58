"""Puts connections together, for the command line and the application alike. Knows no Qt."""
