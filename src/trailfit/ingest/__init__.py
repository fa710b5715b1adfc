"""Log objects into the lake: every event once."""
