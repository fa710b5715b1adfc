"""Who is granted what: a snapshot of IAM."""
