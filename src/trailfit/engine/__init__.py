"""Where units and queries run."""
