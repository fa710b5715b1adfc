"""The property tests of the policy language use the fixtures of its other tests."""

from tests.policy.conftest import managed, reference

__all__ = ["managed", "reference"]
