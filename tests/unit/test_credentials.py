"""The certificate that signs: made, looked at, and explained to whoever runs the bot. And what a manifest says."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from bot.cli import cli
from bot.labels.credentials.chain import (
    ANCHORS,
    CERTIFICATES,
    CLAIM_SIGNING,
    EMAIL_PROTECTION,
    FOLDER,
    KEY,
    AlreadyThere,
    make_chain,
    write_chain,
)
from bot.labels.credentials.manifest import BadDeed, Deed, Named, Relation, Step, Verb, manifest_json
from bot.labels.credentials.read import State, read
from bot.labels.credentials.sign import sign
from bot.labels.credentials.signer import (
    BadSigner,
    CannotSign,
    chosen_files,
    identify,
    own_anchors,
    signer_from_callback,
    signer_from_command,
    signer_from_files,
)
from bot.labels.signing import signer_as_set
from tests.credentials import AI_EDITED, CREATED, EDITED, JPEG, anchors, chain
from tests.pictures import photo


def remixbot(*words: str, data: Path) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["credentials", *words, "--data", str(data)])
    return done.exit_code, " ".join(done.output.split())


# --- the chain


def test_the_signing_certificate_has_the_profile_that_readers_ask_for() -> None:
    leaf, between = x509.load_pem_x509_certificates(chain().certificates)
    leaf.verify_directly_issued_by(between)
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert set(purposes.value) == {EMAIL_PROTECTION, CLAIM_SIGNING}
    assert (usage.critical, usage.value.digital_signature, usage.value.key_cert_sign) == (True, True, False)
    assert leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=366)


def test_only_this_user_may_read_the_key(tmp_path: Path) -> None:
    write_chain(chain(), tmp_path / "new")
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()} == {0o600}
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


def test_a_key_is_not_replaced_unless_that_is_said_and_earlier_roots_stay_known(tmp_path: Path) -> None:
    first, second = make_chain(), make_chain()
    write_chain(first, tmp_path)
    with pytest.raises(AlreadyThere):
        write_chain(second, tmp_path)
    assert (tmp_path / KEY).read_bytes() == first.key
    write_chain(second, tmp_path, replace=True)
    assert (tmp_path / KEY).read_bytes() == second.key
    assert (tmp_path / ANCHORS).read_bytes() == second.root + first.root


def test_what_init_makes_signs_and_is_shown(tmp_path: Path) -> None:
    assert remixbot("show", data=tmp_path)[0] == 1
    made, words = remixbot("init", data=tmp_path)
    assert made == 0
    assert "“unknown signer”" in words
    files = chosen_files("", "", tmp_path)
    assert files is not None
    signed = sign(photo(), JPEG, CREATED, [], signer_from_files(*files))
    told = read(signed.data, own_anchors(tmp_path))
    assert told is not None
    assert told.state is State.TRUSTED
    shown, words = remixbot("show", data=tmp_path)
    assert shown == 0
    assert "Remixbot development" in words
    assert remixbot("init", data=tmp_path)[0] == 1


# --- what an operator is told


def broken(tmp_path: Path, what: str) -> tuple[Path, Path]:
    """Certificate and key of which one thing is wrong."""
    made = {
        "expired": make_chain(now=datetime.now(UTC) - timedelta(days=9), lifetime=timedelta(days=1)),
        "not yet": make_chain(now=datetime.now(UTC) + timedelta(days=9)),
        "purpose": make_chain(purposes=[CLAIM_SIGNING]),
    }.get(what, chain())
    match what:
        case "other key":
            made = replace(made, key=make_chain().key)
        case "no certificate":
            made = replace(made, certificates=b"hello")
        case "no key":
            made = replace(made, key=made.certificates)
        case "order":
            made = replace(made, certificates=made.certificates + made.certificates)
        case "authority":
            made = replace(made, certificates=made.root)
        case "locked":
            key = serialization.load_pem_private_key(made.key, None)
            locked = serialization.BestAvailableEncryption(b"word")
            pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
            made = replace(made, key=key.private_bytes(pem, form, locked))
    write_chain(made, tmp_path)
    return tmp_path / CERTIFICATES, tmp_path / KEY


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("expired", "expired on"),
        ("not yet", "is good from"),
        ("purpose", "emailProtection"),
        ("other key", "does not fit"),
        ("no certificate", "no certificates in PEM"),
        ("no key", "no private key in PEM"),
        ("order", "not a chain"),
        ("authority", "authority's"),
        ("locked", "locked with a password"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said_at_start(what: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadSigner, match=words):
        signer_from_files(*broken(tmp_path, what))


def test_a_file_that_is_not_there_or_may_not_be_read_is_named(tmp_path: Path) -> None:
    certificates, key = broken(tmp_path, "nothing")
    with pytest.raises(BadSigner, match="is not there"):
        signer_from_files(certificates, tmp_path / "gone.pem")
    with pytest.raises(BadSigner, match="cannot be read"):
        signer_from_files(tmp_path, key)


def test_a_certificate_without_its_key_is_refused_and_none_means_that_nothing_is_signed(tmp_path: Path) -> None:
    with pytest.raises(BadSigner, match="CREDENTIALS_KEY"):
        chosen_files("certificate.pem", "", tmp_path)
    assert chosen_files("", "", tmp_path) is None
    assert chosen_files("a", "b", tmp_path / FOLDER) == (Path("a"), Path("b"))


def test_a_key_that_lives_elsewhere_signs_by_call() -> None:
    key = serialization.load_pem_private_key(chain().key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    asked: list[int] = []

    def away(data: bytes) -> bytes:
        asked.append(len(data))
        return key.sign(data, ec.ECDSA(hashes.SHA256()))

    signing = signer_from_callback(chain().certificates, away)
    told = read(sign(photo(), JPEG, CREATED, [], signing).data, anchors())
    assert told is not None
    assert told.state is State.TRUSTED
    assert len(asked) == 2  # once to try it


def test_a_key_elsewhere_that_fails_is_an_error_of_ours() -> None:
    key = serialization.load_pem_private_key(chain().key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    answers = iter([key])

    def away(data: bytes) -> bytes:
        return next(answers).sign(data, ec.ECDSA(hashes.SHA256()))

    signing = signer_from_callback(chain().certificates, away)
    with pytest.raises(CannotSign):
        sign(photo(), JPEG, CREATED, [], signing)


SIGNS = """
import sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = serialization.load_pem_private_key(open(sys.argv[1], "rb").read(), None)
sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read(), ec.ECDSA(hashes.SHA256())))
"""


def test_a_command_of_the_hosts_signs_in_place_of_a_key(tmp_path: Path) -> None:
    certificates, key, program = tmp_path / "c.pem", tmp_path / "key.pem", tmp_path / "signs it.py"
    certificates.write_bytes(chain().certificates)
    key.write_bytes(chain().key)
    program.write_text(SIGNS)
    command = shlex.join((sys.executable, str(program), str(key)))
    signing = signer_as_set(str(certificates), "", "", tmp_path, command=command)
    assert signing is not None
    told = read(sign(photo(), JPEG, CREATED, [], signing).data, anchors())
    assert told is not None
    assert told.state is State.TRUSTED


@pytest.mark.parametrize(
    ("command", "said"),
    [("/nowhere/signs", "is not there"), ("false", "ended with 1"), ("true", "gave nothing"), ("echo x", "not take")],
)
def test_a_command_that_does_not_sign_is_said(command: str, said: str, tmp_path: Path) -> None:
    certificates = tmp_path / "c.pem"
    certificates.write_bytes(chain().certificates)
    with pytest.raises(BadSigner, match=said):
        signer_from_command(certificates, command)


def test_a_command_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    certificates = tmp_path / "c.pem"
    certificates.write_bytes(chain().certificates)
    with pytest.raises(BadSigner, match="took longer than"):
        signer_from_command(certificates, "tail -f /dev/null", command_s=0.05)


def test_the_day_on_which_it_ends_is_known() -> None:
    assert identify(chain().certificates).expires_at == chain().expires_at


# --- what a manifest says

PARENT = Named("parent", "source", JPEG, Relation.PARENT)


def test_a_manifest_has_all_actions_in_one_assertion_that_is_the_signers_own() -> None:
    placed = Named("part", "sticker", "image/png", Relation.PART)
    deed = Deed("r-1", (*EDITED.steps, Step(Verb.PLACED, ingredients=("part",))), at=datetime(2026, 1, 2, tzinfo=UTC))
    made = json.loads(manifest_json(deed, JPEG, [PARENT, placed]))
    assert made["claim_generator_info"] == [{"name": "remixbot", "version": "0.1.0", "specVersion": "2.4.0"}]
    (assertion,) = made["assertions"]
    assert (assertion["label"], assertion["created"], assertion["data"]["allActionsIncluded"]) == (
        "c2pa.actions.v2",
        True,
        True,
    )
    at = {"when": "2026-01-02T00:00:00Z"}
    source_type = f"http://cv.iptc.org/newscodes/digitalsourcetype/{AI_EDITED}"
    assert assertion["data"]["actions"] == [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}, **at},
        {"action": "c2pa.edited", "digitalSourceType": source_type, "softwareAgent": {"name": "Gemini"}, **at},
        {"action": "c2pa.placed", "parameters": {"ingredientIds": ["part"]}, **at},
    ]


@pytest.mark.parametrize(
    ("deed", "ingredients"),
    [
        (Deed("r", ()), []),
        (Deed("r", (Step(Verb.EDITED, AI_EDITED),)), []),
        (Deed("r", (*CREATED.steps, *CREATED.steps)), []),
        (Deed("r", (Step(Verb.CREATED),)), []),
        (Deed("r", (Step(Verb.OPENED, AI_EDITED, ingredients=("parent",)),)), [PARENT]),
        (Deed("r", (Step(Verb.CREATED, "two words"),)), []),
        (EDITED, []),
        (EDITED, [PARENT, PARENT]),
        (EDITED, [PARENT, replace(PARENT, label="other")]),
        (EDITED, [PARENT, replace(PARENT, label="unused", relation=Relation.INPUT)]),
        (CREATED, [PARENT]),
        (EDITED, [replace(PARENT, title="Мама.jpg")]),
        (Deed("a\nprompt", CREATED.steps), []),
        (Deed("r", (replace(CREATED.steps[0], agent="x" * 101),)), []),
    ],
)
def test_a_deed_that_contradicts_itself_or_tells_too_much_is_refused(deed: Deed, ingredients: list[Named]) -> None:
    with pytest.raises(BadDeed):
        manifest_json(deed, JPEG, ingredients)
