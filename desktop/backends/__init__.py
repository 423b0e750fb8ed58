"""How to talk to one escalation backend each. They do not know each other."""
