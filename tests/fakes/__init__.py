"""Stand-ins that pass the same contract tests as the real things."""
