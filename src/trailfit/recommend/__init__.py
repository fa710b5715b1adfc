"""Usage and grants into proposals, each with its two proofs."""
