"""What AWS publishes, as tables with a source column: facts, no logic."""
