"""PagerDuty REST v2, and whatever speaks it: first of all our own server."""
