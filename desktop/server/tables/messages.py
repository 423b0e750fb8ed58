"""Messages to people on their other channels, and what their applications confirmed. Values only, any thread."""
