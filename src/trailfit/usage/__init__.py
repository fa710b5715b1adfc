"""The queries' Python face: who used what, and when silence is evidence."""
