"""Schemathesis over every operation of a running server: no server error, every answer as the contract says.

`server_url` says which server.
"""

from importlib.resources import files
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.e2e.fake_index import ACTIVE, INLINE, NONE, PAST, PAYLOAD

pytestmark = pytest.mark.xdist_group("fuzz")

schemathesis.openapi.format(
    "cid", st.sampled_from([ACTIVE, PAST, NONE, PAYLOAD, INLINE]) | st.text(min_size=1, max_size=80)
)


schema = schemathesis.openapi.from_path(str(files("explorer.web").joinpath("openapi.json")))


@schema.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_operation_holds(case: Case[Any], server_url: str) -> None:
    """A text that fits the schema may still be no CID, and an epoch be beyond the index: those refusals are right."""
    case.call_and_validate(base_url=server_url, excluded_checks=[positive_data_acceptance])
