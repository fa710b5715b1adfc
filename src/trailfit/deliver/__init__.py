"""Reports, edits of infrastructure code, branches and pull requests."""
