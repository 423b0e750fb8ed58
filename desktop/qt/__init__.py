"""Qt adapters to the machine: the bridge from threads, tray, sound, notifications. GUI thread."""
