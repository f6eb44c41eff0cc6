"""Schemathesis over every operation of a real service: no server error, every answer as the contract says."""

from importlib.resources import files
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

from explorer.demo.story import CHAPTERS

pytestmark = pytest.mark.xdist_group("fuzz")

schemathesis.openapi.format(
    "cid", st.sampled_from([cid for chapter in CHAPTERS for cid in chapter.cids]) | st.text(min_size=1, max_size=80)
)


schema = schemathesis.openapi.from_path(str(files("explorer.web").joinpath("openapi.json")))


@schema.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_operation_holds(case: Case[Any], real_url: str) -> None:
    """A text that fits the schema may still be no CID, and an epoch be beyond the index: those refusals are right."""
    case.call_and_validate(base_url=real_url, excluded_checks=[positive_data_acceptance])
