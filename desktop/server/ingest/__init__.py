"""What senders post, read into reports: one pure module for each sender."""
