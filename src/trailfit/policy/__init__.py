"""IAM's language, pure: what a document grants, whether a request is allowed, whether anything is new."""
