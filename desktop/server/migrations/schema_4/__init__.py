"""What schema 4 adds, a file for each subject; nothing that was there changes."""
