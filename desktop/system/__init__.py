"""The machine: keyring, files, notifications, autostart, single instance. Qt-free."""
