"""The built-in escalation backend: PagerDuty's REST and Events APIs over our own rows. Headless; never reaches Qt."""
