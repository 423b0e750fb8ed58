"""What schema 5 adds, a file for each subject; nothing that was there changes."""
