"""A bundle that wants other stores than the process has open is not served."""

import msgspec
import pytest

from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.server.process import CannotServe, Process, assemble
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.settings import ResponsesStore, State
from lynkrc_runtime.settings import Settings as Declared
from lynkrc_runtime.simulator import Simulator
from lynkrc_runtime.telemetry.log import Log
from lynkrc_runtime.telemetry.metrics import Metrics
from tests.runtime.by_hand import dispatch, policy, provider, target


@pytest.mark.parametrize(
    ("declared", "is_served"),
    [
        (Declared(), True),
        (Declared(responses_store=ResponsesStore(ttl=5.0)), True),
        (Declared(state=State(path="elsewhere")), False),
        (Declared(state=State(store="redis", url="redis://localhost")), False),
        (Declared(responses_store=ResponsesStore(ttl=5.0, store="sqlite")), False),
    ],
)
def test_stores_change_by_a_restart(declared: Declared, is_served: bool) -> None:
    process = Process(
        settings=Settings(),
        environ={},
        http=Simulator(CLIENT_DIALECTS),
        log=Log(write=lambda _: None),
        metrics=Metrics(version="0"),
    )
    table = dispatch([provider("sim", "simulator")], [target("one", 0)])
    wanted = policy(msgspec.structs.replace(table, settings=declared))
    if is_served:
        kept = assemble(wanted, process).responses
        assert (kept is None) is (declared.responses_store is None)
    else:
        with pytest.raises(CannotServe, match="needs a restart"):
            assemble(wanted, process)
