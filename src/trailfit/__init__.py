"""Fit AWS IAM policies to what CloudTrail saw."""
