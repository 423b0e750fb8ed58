"""The HTTP API: one router for each of PagerDuty's collections."""
