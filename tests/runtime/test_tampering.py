"""No byte of a bundle or of its signature can change, go or come without being noticed."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lynkrc.bundle.provenance import print_statement
from lynkrc.bundle.sign import sign_statement
from lynkrc_runtime.bundle import MANIFEST, BrokenBundle, archive, open_bundle
from lynkrc_runtime.bundle_archive import unzip
from lynkrc_runtime.signature import (
    PAYLOAD_TYPE,
    BrokenSignature,
    Trust,
    pae,
    read_envelopes,
    read_statement,
    signature_path,
    signers,
)
from tests.e2e.small_bundle import write
from tests.e2e.versions import contents
from tests.signing_keys import private, signing_key

OURS, OTHER, STRANGER = signing_key(1), signing_key(2), signing_key(3)
TRUST = Trust(keys=(OURS.public, OTHER.public), is_required=True)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A small bundle without a signature."""
    return write(tmp_path / "small.lynkr", contents(1))


def signature(bundle: Path, *keys: Any) -> bytes:
    statement = print_statement(open_bundle(bundle), compiler="0.1.0")
    return b"".join(sign_statement(statement, key) for key in keys or (OURS,))


def flips(data: bytes) -> list[bytes]:
    """The data with each byte changed in turn: its case bit, a digit's low bit, its high bit."""
    changed = bytearray(data)
    found: list[bytes] = []
    for at in range(len(data)):
        for mask in (0x20, 0x01, 0x80):
            changed[at] ^= mask
            found.append(bytes(changed))
            changed[at] ^= mask
    return found


def test_each_byte_of_an_unsigned_bundle_counts(bundle: Path) -> None:
    """Without a signature too: checksums, and the one form an archive has."""
    whole = bundle.read_bytes()
    assert unzip(bundle, whole)
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= (0x01, 0x20, 0x80)[at % 3]
        with pytest.raises(BrokenBundle):
            unzip(bundle, bytes(changed))


def test_each_file_of_an_unsigned_bundle_counts(bundle: Path) -> None:
    """With checksums that fit too: the manifest has a digest of every file."""
    held = unzip(bundle, bundle.read_bytes())
    for name, data in held.items():
        if name == MANIFEST:
            continue
        bundle.write_bytes(archive({**held, name: data[:-1] + b"~"}))
        with pytest.raises(BrokenBundle, match="is not what the manifest says"):
            open_bundle(bundle)


def test_each_byte_of_a_signed_bundle_counts(bundle: Path) -> None:
    """Before anything of it is even unpacked: its digest is what was signed."""
    whole = bundle.read_bytes()
    envelopes = read_envelopes(signature(bundle))
    assert signers(envelopes, hashlib.sha256(whole).hexdigest(), TRUST.keys) == (OURS.public.id,)
    payload = envelopes[0].payload
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 0x20
        with pytest.raises(BrokenSignature, match="about another file"):
            read_statement(payload, hashlib.sha256(changed).hexdigest())
    signature_path(bundle).write_bytes(signature(bundle))
    bundle.write_bytes(whole[:-1] + b"\1")
    with pytest.raises(BrokenBundle, match="about another file, not about the bundle as it is"):
        open_bundle(bundle, TRUST)


def test_each_byte_of_a_signature_counts(bundle: Path) -> None:
    sha256 = hashlib.sha256(bundle.read_bytes()).hexdigest()
    line = signature(bundle)
    for changed in flips(line):
        try:
            found = signers(read_envelopes(changed), sha256, TRUST.keys)
        except BrokenSignature:
            continue
        # A key id that is nobody's is a signature that does not count.
        assert found == ()
        assert json.loads(changed)["signatures"][0]["keyid"] != OURS.public.id


def test_what_is_cut_off_or_added_is_noticed(bundle: Path) -> None:
    whole, line = bundle.read_bytes(), signature(bundle)
    for end in range(0, len(whole), 7):
        bundle.write_bytes(whole[:end])
        with pytest.raises(BrokenBundle):
            open_bundle(bundle)
    for extra in (b"\0", b"\n", whole, b"PK\x05\x06" + bytes(18)):
        for data in (whole + extra, extra + whole):
            bundle.write_bytes(data)
            with pytest.raises(BrokenBundle):
                open_bundle(bundle)
    for end in range(len(line)):
        with pytest.raises(BrokenSignature):
            read_envelopes(line[:end])
    for extra in (b"\0", b"\n", b"x", b" \n", b"{}\n"):
        with pytest.raises(BrokenSignature):
            read_envelopes(line + extra)


def test_swapped_files_are_noticed(bundle: Path) -> None:
    held = unzip(bundle, bundle.read_bytes())
    held["scorer.py"], held["explain.py"] = held["explain.py"], held["scorer.py"]
    bundle.write_bytes(archive(held))
    with pytest.raises(BrokenBundle, match=r"explain\.py is not what the manifest says"):
        open_bundle(bundle)


def test_a_consistent_change_is_noticed_by_the_signature_alone(bundle: Path) -> None:
    """Who can write the file can write digests that fit; only a key tells."""
    signature_path(bundle).write_bytes(signature(bundle))
    assert open_bundle(bundle, TRUST).signed_by == (OURS.public.id,)
    write(bundle, {**contents(1), "scorer.py": b"def decide(v):\n    return 1\n"})
    open_bundle(bundle)
    with pytest.raises(BrokenBundle, match="about another file"):
        open_bundle(bundle, TRUST)


def test_the_archive_has_one_form(bundle: Path) -> None:
    """Other orders, and two files of one name."""
    whole = bundle.read_bytes()
    held = unzip(bundle, whole)
    assert archive(dict(reversed(held.items()))) == whole
    one = archive({"a": b"1"})
    first, rest = one[:32], one[32:-22]
    end = bytearray(one[-22:])
    end[8] = end[10] = 2
    end[12], end[16] = 2 * len(rest), 64
    again = bytearray(rest)
    again[42] = 32
    bundle.write_bytes(first * 2 + rest + bytes(again) + end)
    with pytest.raises(BrokenBundle, match="a is there twice"):
        open_bundle(bundle)


# -- envelopes -----------------------------------------------------------------------------


def line(members: Any) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode() + b"\n"


def edited(bundle: Path, edit: Callable[[dict[str, Any]], None]) -> bytes:
    members = json.loads(signature(bundle))
    edit(members)
    return line(members)


def signed_payload(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """An envelope whose signature is right, whatever it is around."""
    sig = private(1).sign(pae(payload_type, payload))
    return line(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": OURS.public.id, "sig": base64.b64encode(sig).decode()}],
        }
    )


def told(bundle: Path, data: bytes) -> str:
    """Why the bundle is refused with this signature file."""
    signature_path(bundle).write_bytes(data)
    with pytest.raises(BrokenBundle) as caught:
        open_bundle(bundle, TRUST)
    reason = str(caught.value)
    assert reason.startswith(f"{bundle}: {signature_path(bundle).name}: ")
    return reason


def test_envelopes_of_another_shape_are_refused(bundle: Path) -> None:
    text = signature(bundle)
    assert "payloadType is not" in told(
        bundle, edited(bundle, lambda e: e.update(payloadType="application/json"))
    )
    assert "payloadType is not" in told(bundle, signed_payload(b"{}", "application/json"))
    assert "nothing else" in told(bundle, edited(bundle, lambda e: e.update(more=1)))
    assert "nothing else" in told(bundle, edited(bundle, lambda e: e.pop("payload")))
    assert "1 to 64" in told(bundle, edited(bundle, lambda e: e.update(signatures=[])))
    assert "a member is there twice" in told(
        bundle, text.replace(b'"payloadType"', b'"payload":"","payloadType"')
    )
    assert "compact JSON" in told(bundle, text.replace(b'","', b'", "'))
    assert "no JSON" in told(bundle, b"[" * 100_000 + b"\n")
    assert "not an object" in told(bundle, b"[]\n")
    assert "whole line" in told(bundle, b"")


def test_base64_has_one_spelling(bundle: Path) -> None:
    def other_bits(envelope: dict[str, Any]) -> None:
        (one,) = envelope["signatures"]
        # 64 bytes leave four bits unused in the last letter.
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        last = letters.index(one["sig"][-3])
        one["sig"] = one["sig"][:-3] + letters[last ^ 1] + "=="

    assert "sig: not base64" in told(bundle, edited(bundle, other_bits))
    for change in ("\n", " ", "=", "-"):
        wrong = edited(bundle, lambda e, c=change: e.update(payload=e["payload"] + c))  # type: ignore[misc]  # a lambda's default
        assert "payload: not base64" in told(bundle, wrong)


def test_several_may_sign_and_strangers_do_not_count(bundle: Path) -> None:
    place = signature_path(bundle)
    place.write_bytes(signature(bundle, OURS, OTHER, STRANGER))
    both = tuple(sorted((OURS.public.id, OTHER.public.id)))
    assert open_bundle(bundle, TRUST).signed_by == both

    def two(envelope: dict[str, Any]) -> None:
        stranger = json.loads(signature(bundle, STRANGER))
        envelope["signatures"] += stranger["signatures"]

    place.write_bytes(edited(bundle, two))
    assert open_bundle(bundle, TRUST).signed_by == (OURS.public.id,)
    reason = told(bundle, signature(bundle, STRANGER))
    assert f"signed by {STRANGER.public.id}, which is not trusted" in reason
    assert OURS.public.id in reason
    assert open_bundle(bundle, Trust(keys=TRUST.keys)).signed_by == ()


def test_a_wrong_signature_in_a_trusted_name_spoils_the_others(bundle: Path) -> None:
    def forged(envelope: dict[str, Any]) -> None:
        stranger = json.loads(signature(bundle, STRANGER))["signatures"][0]
        envelope["signatures"].append({"keyid": OTHER.public.id, "sig": stranger["sig"]})

    assert f"not signed by the key it names ({OTHER.public.id})" in told(
        bundle, edited(bundle, forged)
    )
    short = edited(bundle, lambda e: e["signatures"][0].update(sig="AAAA"))
    assert "not signed by the key" in told(bundle, short)


def test_statements_of_another_shape_are_refused(bundle: Path, tmp_path: Path) -> None:
    statement = msgspec.json.decode(print_statement(open_bundle(bundle), compiler="0.1.0"))

    def changed(**members: Any) -> bytes:
        return signed_payload(json.dumps(statement | members).encode())

    two = [*statement["subject"], {"name": "more", "digest": {"sha256": "0" * 64}}]
    assert "not about one file" in told(bundle, changed(subject=two))
    assert "not about one file" in told(bundle, changed(subject=[]))
    assert "about another file" in told(bundle, changed(subject=["x"]))
    assert "predicateType is not" in told(bundle, changed(predicateType="https://example.com"))
    assert "_type is not" in told(bundle, changed(_type="https://in-toto.io/Statement/v0.1"))
    doubled = json.dumps(statement)[:-1] + ', "subject": []}'
    assert "a member is there twice" in told(bundle, signed_payload(doubled.encode()))
    assert "no JSON" in told(bundle, signed_payload(b"\xff"))
    (tmp_path / "other").mkdir()
    other = write(tmp_path / "other" / "small.lynkr", contents(2))
    assert "about another file" in told(bundle, signature(other))


def test_what_is_required_is_missed(bundle: Path) -> None:
    with pytest.raises(BrokenBundle, match=r"there is no small\.lynkr\.intoto\.jsonl"):
        open_bundle(bundle, TRUST)
    with pytest.raises(BrokenBundle, match="no key is trusted"):
        open_bundle(bundle, Trust(is_required=True))
    signature_path(bundle).mkdir()
    with pytest.raises(BrokenBundle, match="cannot be read: Is a directory"):
        open_bundle(bundle, TRUST)
    assert open_bundle(bundle).signed_by == ()
