"""What AWS publishes, as tables with a `source` column; no logic; one writer (`refresh`)."""
