"""Only plain files are read as bundles and signatures: nothing is waited for, nothing unbounded."""

import os
from pathlib import Path

import pytest

from lynkrc_runtime.bundle import BrokenBundle, open_bundle
from lynkrc_runtime.plain_file import read_plain
from lynkrc_runtime.signature import Trust, signature_path
from tests.e2e.small_bundle import write
from tests.e2e.versions import contents
from tests.signing_keys import signing_key

TRUST = Trust(keys=(signing_key(1).public,))


def test_as_much_is_read_as_may_be_there_and_one_more(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    assert read_plain(file, 10) == b"0123456789"
    assert read_plain(file, 4) == b"01234"
    (tmp_path / "link").symlink_to(file)
    assert read_plain(tmp_path / "link", 10) == b"0123456789"


def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, words in (
        (pipe, "not a plain file"),
        (Path("/dev/zero"), "not a plain file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "none", "No such file or directory"),
    ):
        before = len(list(Path("/dev/fd").iterdir()))
        with pytest.raises(OSError) as caught:
            read_plain(path, 10)
        assert caught.value.strerror == words
        assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_pipe_holds_up_no_reload(tmp_path: Path) -> None:
    """Whoever can put a file there could stop every later reload by it."""
    bundle = write(tmp_path / "small.lynkr", contents(1))
    os.mkfifo(signature_path(bundle))
    with pytest.raises(BrokenBundle, match=r"intoto\.jsonl: cannot be read: not a plain file"):
        open_bundle(bundle, TRUST)
    pipe = tmp_path / "pipe.lynkr"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(BrokenBundle, match="cannot be read: not a plain file"):
            open_bundle(path)
