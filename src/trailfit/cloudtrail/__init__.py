"""The log's language, pure: a record → who, which IAM actions, on which ARNs, with what outcome."""
