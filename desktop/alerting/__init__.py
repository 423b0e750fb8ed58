"""Makes sure that a page is noticed: drives sound and notifications from what the rules decided."""
