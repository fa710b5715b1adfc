"""Every exception trailfit raises on purpose.

::

    TrailfitError              one readable message: what happened, where, what to do (exit 2)
    ├── UsageError             the command line, the configuration or a query's parameters are wrong
    ├── SourceError            a bucket, folder, file or AWS API could not be read
    ├── LakeError              the lake is missing, locked, damaged or of another version
    ├── PolicyError            a policy document is not one IAM would accept
    ├── EditError              an edit of somebody's file could not be made safely
    ├── ForgeError             git, GitHub or GitLab refused
    └── ProofError             our own bug: a proposal failed a proof; names the input and the counterexample

Expected outcomes are values (`Unassessed`, `Unreadable`, a proof's counterexample), never exceptions.
"""


class TrailfitError(Exception):
    """A problem that a user can read and act on.

    `message` says what happened; `where` (bucket/key, file:line or ARN) and `hint` (what to do) are optional.
    """

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class UsageError(TrailfitError):
    """The command line, the configuration or a query's parameters are wrong."""


class SourceError(TrailfitError):
    """A bucket, folder, file or AWS API could not be read."""


class LakeError(TrailfitError):
    """The lake is missing, locked, damaged or of another version."""


class PolicyError(TrailfitError):
    """A policy document is not one that IAM would accept."""


class EditError(TrailfitError):
    """An edit of somebody's file could not be made safely."""


class ForgeError(TrailfitError):
    """Git, GitHub or GitLab refused."""


class ProofError(TrailfitError):
    """A proposal failed one of its proofs: a bug of trailfit's own."""
