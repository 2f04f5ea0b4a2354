"""Which scan kernel serves, and that CI has both."""

import os
import sys

import pytest

from lynkrc_runtime.scan.engines import engine_of, kernel_name, kernel_notice
from lynkrc_runtime.scan.portable import PortableKernel
from lynkrc_runtime.scan.tables import pack, unpack

TABLES = unpack(pack(byte_class=bytes(256), transitions=[0], accepts=[()], counts=[()], sizes=()))


def test_the_native_kernel_is_built_where_the_suite_must_be_whole() -> None:
    notice = kernel_notice()
    if notice is not None and not os.environ.get("LYNKRC_CI"):
        pytest.skip(f"{notice}; `make kernel` builds it")
    assert (kernel_name(), notice) == ("native", None)


def test_the_kernel_can_be_chosen() -> None:
    assert isinstance(engine_of(TABLES, [], "portable"), PortableKernel)
    if kernel_name() == "native":
        assert not isinstance(engine_of(TABLES, []), PortableKernel)
    else:
        with pytest.raises(RuntimeError, match="the native scan kernel is not there"):
            engine_of(TABLES, [], "native")


def test_a_kernel_keeps_its_table_and_lets_go_of_it() -> None:
    if kernel_name() == "portable":
        pytest.skip("the native kernel is not built")
    data = bytes(bytearray(TABLES.data))
    before = sys.getrefcount(data)
    kernels = [engine_of(unpack(data), [], "native") for _ in range(5)]
    assert sys.getrefcount(data) >= before + 5
    kernels.clear()
    assert sys.getrefcount(data) == before
