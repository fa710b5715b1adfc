"""GitHub and GitLab: push a branch and open or update one pull request for it."""
