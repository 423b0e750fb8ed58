"""Emergency handovers. Values only, any thread."""
