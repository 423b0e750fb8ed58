"""Links in messages, by which an incident is acknowledged. Values only, any thread."""
