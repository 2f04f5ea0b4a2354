"""Which entry of the catalog a model has does not depend on the order of entries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc.sema.catalog import ModelFacts, Provision, facts_of
from lynkrc.sema.catalog_read import read_catalog
from lynkrc_runtime.providers.table import KINDS
from tests.property.effort import tried
from tests.unit.sema_sample import catalog

SHIPPED, _ = read_catalog(catalog())
HOSTS = (None, "api.deepseek.com", "api.openai.com", "llm.example.com")
IDS = sorted({id_.removesuffix("*") for entry in SHIPPED for id_ in entry.ids})
MODELS = st.one_of(
    st.sampled_from(IDS),
    st.builds("{}{}".format, st.sampled_from(IDS), st.sampled_from(["20", "-1", "25929", "x"])),
)


@pytest.mark.parametrize("kind", KINDS)
@tried(40)
@given(order=st.permutations(SHIPPED), model=MODELS, host=st.sampled_from(HOSTS))
def test_the_order_of_entries_says_nothing(
    order: list[ModelFacts], model: str, host: str | None, kind: str
) -> None:
    at = Provision(kind, host)
    assert facts_of(order, model, at) == facts_of(SHIPPED, model, at)
