"""What the tests of parties share with those of following."""

from tests.integration.follow.conftest import soon_final

__all__ = ["soon_final"]
