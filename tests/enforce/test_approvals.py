"""GRD-08 with real keys: OpenSSH's own tool makes every signature and judges it."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import rmtree

import pytest

from snapaudit.enforce import sshsig
from snapaudit.enforce.approvals import MOST_SIGNATURES, refuse_without, sign_command
from snapaudit.enforce.sealing import read_plan, reseal, write_plan
from snapaudit.enforce.signers import MAX_BYTES, read_signers
from snapaudit.enforce.sshsig import NAMESPACE
from snapaudit.enforce.state import State, prepare
from snapaudit.errors import RefusedError
from snapaudit.model.approvals import Approvals
from snapaudit.model.plan import Decision, Plan
from tests.beds.required import require_bed, require_program
from tests.builders import NOW
from tests.enforce.planned import plan

pytestmark = pytest.mark.bed
_NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others may look into: pytest's own are closed to them."""
    made = Path(tempfile.mkdtemp(prefix="snapaudit-approvals-"))
    made.chmod(0o755)
    yield made
    rmtree(made)


@dataclass
class Desk:
    """A plan by ``ada`` that lies there, people with keys, and the list of those who may sign."""

    folder: Path
    needed: int = 1
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = State(self.folder / "state")
        prepare(self.state)
        self.file = write_plan(self.state, plan())

    @property
    def plan(self) -> Plan:
        return read_plan(self.state, self.file)[0]

    @property
    def approvals(self) -> Approvals:
        return Approvals(needed=self.needed, signers=self.folder / "signers")

    def key(self, name: str, *, kind: str = "ed25519") -> Path:
        path = self.folder / f"{name}.key"
        self.keygen("-q", "-t", kind, "-N", "", "-C", name, "-f", str(path))
        return path

    def lists(self, key: Path, principals: str, options: str = "") -> None:
        public = key.with_name(f"{key.name}.pub").read_text(encoding="utf-8").strip()
        self.lines.append(" ".join(word for word in (principals, options, public) if word))
        self.approvals.signers.write_text("\n".join([*self.lines, ""]), encoding="utf-8")

    def member(self, name: str, *, kind: str = "ed25519", options: str = "") -> Path:
        key = self.key(name, kind=kind)
        self.lists(key, name, options)
        return key

    def signs(self, key: Path, name: str, *, text: str = "", namespace: str = NAMESPACE) -> Path:
        message = f"{text or self.plan.digest}\n"
        words = ("-q", "-Y", "sign", "-n", namespace, "-f", str(key))
        path = self.file.with_name(f"{self.file.name}.{name}.sig")
        path.write_text(self.keygen(*words, said=message), encoding="utf-8")
        return path

    def keygen(self, *words: str, said: str = "") -> str:
        command = [require_program("ssh-keygen"), *words]
        done = subprocess.run(command, input=said, capture_output=True, text=True, check=True)
        return done.stdout

    def approved(self) -> tuple[str, ...]:
        return refuse_without(self.plan, self.file, self.approvals)

    def refused(self) -> str:
        with pytest.raises(RefusedError) as caught:
            self.approved()
        return str(caught.value)


@pytest.fixture
def desk(folder: Path) -> Desk:
    require_program("ssh-keygen")
    if os.geteuid() != 0:
        require_bed("a list of signers that is not the running user's own takes root to make")
    return Desk(folder)


def test_grd_08_nobody_is_asked_where_no_approvals_are_configured(tmp_path: Path) -> None:
    assert refuse_without(plan(), tmp_path / "plan.json", None) == ()


def test_grd_08_enough_people_have_signed(desk: Desk) -> None:
    desk.needed = 2
    desk.signs(desk.member("bob"), "bob")
    desk.signs(desk.member("carol@example.org"), "second opinion")
    assert desk.approved() == ("bob", "carol@example.org")


def test_grd_08_one_too_few_is_refused_with_the_count_and_the_command(desk: Desk) -> None:
    desk.needed = 2
    desk.signs(desk.member("bob"), "bob")
    told = desk.refused()
    assert "has 1 of 2 approvals (by bob)" in told
    assert told.endswith(sign_command(desk.plan, desk.file))


def test_grd_08_the_command_it_names_approves_the_plan(desk: Desk) -> None:
    key = desk.member("bob")
    command = desk.refused().rpartition(": ")[2]
    command = command.replace("~/.ssh/id_ed25519", shlex.quote(str(key))).replace("NAME", "bob")
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    assert desk.approved() == ("bob",)


def test_grd_08_the_author_cannot_approve(desk: Desk) -> None:
    for number, name in enumerate(("ada", "Ada", "ada@example.org")):
        desk.signs(desk.member(name), str(number))
    told = desk.refused()
    assert told.count("is by the plan's author, who cannot approve it") == 3


def test_grd_08_one_person_counts_once_whatever_the_number_of_keys(desk: Desk) -> None:
    desk.needed = 2
    key = desk.member("bob")
    desk.signs(key, "bob")
    desk.signs(key, "bob-again")
    other = desk.key("bob-laptop")
    desk.lists(other, "bobby,BOB")
    desk.signs(other, "laptop")
    told = desk.refused()
    assert "1 of 2 approvals (by bob)" in told
    assert told.count("is a second one by bob") == 2


def test_grd_08_old_signatures_do_not_approve_a_resealed_plan(desk: Desk) -> None:
    key = desk.member("bob")
    desk.signs(key, "bob")
    assert desk.approved() == ("bob",)
    reseal(desk.state, desk.file, "carol", NOW)
    assert "plan-1.json.bob.sig is over another digest" in desk.refused()
    desk.signs(key, "bob")
    assert desk.approved() == ("bob",)


def test_grd_08_an_edited_decision_needs_its_own_approval(desk: Desk) -> None:
    key = desk.member("bob")
    desk.signs(key, "bob")
    actions = tuple(replace(one, decision=Decision.SKIP) for one in desk.plan.actions)
    edited = write_plan(desk.state, replace(desk.plan, actions=actions))
    assert edited == desk.file
    assert "is over another digest" in desk.refused()


@pytest.mark.parametrize(
    ("kind", "told"), [("rsa", "is by a key of type RSA"), ("ecdsa", "is by a key of type ECDSA")]
)
def test_grd_08_only_ed25519_counts(desk: Desk, kind: str, told: str) -> None:
    desk.signs(desk.member("bob", kind=kind), "bob")
    assert f"{told}; only Ed25519 counts" in desk.refused()


def test_grd_08_a_certificate_is_no_listed_key(desk: Desk) -> None:
    authority, key = desk.key("authority"), desk.key("bob")
    desk.lists(authority, "bob", "cert-authority")
    desk.keygen("-q", "-s", str(authority), "-I", "bob", "-n", "bob", f"{key}.pub")
    certificate = key.with_name(f"{key.name}-cert.pub")
    desk.signs(certificate, "bob")
    assert "is by a key of type ED25519-CERT" in desk.refused()


def test_grd_08_a_stranger_does_not_count(desk: Desk) -> None:
    desk.member("bob")
    desk.signs(desk.key("mallory"), "mallory")
    assert "mallory.sig is by a key that is not in the signers file (SHA256:" in desk.refused()


def test_grd_08_a_signature_for_something_else_does_not_count(desk: Desk) -> None:
    desk.signs(desk.member("bob"), "bob", namespace="file")
    assert f"is not for plans: its namespace is not {NAMESPACE}" in desk.refused()


def test_grd_08_a_key_that_is_listed_for_something_else_does_not_count(desk: Desk) -> None:
    desk.signs(desk.member("bob", options='namespaces="git"'), "bob")
    assert f"the signers file does not admit to {NAMESPACE}" in desk.refused()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ('valid-before="20200101"', "is by a key that has expired"),
        ('valid-after="20990101"', "is by a key that is not valid yet"),
    ],
)
def test_grd_08_a_key_counts_only_while_it_is_valid(desk: Desk, options: str, told: str) -> None:
    desk.signs(desk.member("bob", options=options), "bob")
    assert told in desk.refused()


def test_grd_08_a_pattern_is_nobody(desk: Desk) -> None:
    key = desk.key("bob")
    desk.lists(key, "*@example.org")
    desk.signs(key, "bob")
    assert "is by a key for '*@example.org', a pattern and no person" in desk.refused()


def test_grd_08_what_is_no_signature_is_told_and_does_no_harm(desk: Desk) -> None:
    desk.needed = 2
    good = desk.signs(desk.member("bob"), "bob")
    begin = f"{desk.file.name}."
    good.with_name(f"{begin}cut.sig").write_bytes(good.read_bytes()[:150])
    good.with_name(f"{begin}huge.sig").write_bytes(good.read_bytes() + b"\n" * 20_000)
    good.with_name(f"{begin}link.sig").symlink_to(good)
    os.mkfifo(good.with_name(f"{begin}pipe.sig"))
    good.with_name(f"{begin}folder.sig").mkdir()
    for name in ("unrelated.sig", f"{begin}sig", f"{begin}bob.sig.old"):
        good.with_name(name).write_bytes(good.read_bytes())
    told = desk.refused()
    assert "has 1 of 2 approvals (by bob)" in told
    for name in ("cut", "folder", "huge", "link", "pipe"):
        assert f"{begin}{name}.sig is no signature by ssh-keygen" in told
    assert told.count(" is no signature") == 5


def test_grd_08_a_heap_of_signatures_is_not_looked_through(desk: Desk) -> None:
    desk.member("bob")
    for number in range(MOST_SIGNATURES + 1):
        desk.file.with_name(f"{desk.file.name}.{number}.sig").write_text("x", encoding="utf-8")
    assert "more than 50 signatures" in desk.refused()


def test_grd_08_a_folder_that_cannot_be_listed_approves_nothing(desk: Desk) -> None:
    desk.member("bob")
    with pytest.raises(RefusedError, match="cannot be listed: No such file"):
        refuse_without(desk.plan, desk.folder / "none" / "plan.json", desk.approvals)


def test_grd_08_without_the_tool_the_package_is_named(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.signs(desk.member("bob"), "bob")
    monkeypatch.setattr(sshsig, "FOLDERS", str(desk.folder))
    assert "install openssh-client" in desk.refused()


def test_grd_08_a_tool_on_the_callers_path_is_not_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.signs(desk.member("bob"), "bob", text="another")
    false = desk.folder / "ssh-keygen"
    false.write_text(
        "#!/bin/sh\necho 'Good \"x\" signature with ED25519 key x'\n", encoding="utf-8"
    )
    false.chmod(0o755)
    monkeypatch.setenv("PATH", str(desk.folder))
    monkeypatch.setattr("tests.beds.required.shutil.which", lambda *_, **__: "/usr/bin/ssh-keygen")
    assert "is over another digest" in desk.refused()


@pytest.mark.parametrize("script", ["sleep 60", "exit 3", "echo 'Good enough'"])
def test_grd_08_a_tool_that_hangs_fails_or_babbles_approves_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    desk.signs(desk.member("bob"), "bob")
    tools = desk.folder / "tools"
    tools.mkdir()
    (tools / "ssh-keygen").write_text(f"#!/bin/sh\nexec {script}\n", encoding="utf-8")
    (tools / "ssh-keygen").chmod(0o755)
    monkeypatch.setattr(sshsig, "FOLDERS", f"{tools}:/bin:/usr/bin")
    monkeypatch.setattr(sshsig, "SECONDS", 0.5)
    assert "has 0 of 1 approvals; plan-1.json.bob.sig" in desk.refused()


def test_a_tool_that_cannot_be_started_is_one_line(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.signs(desk.member("bob"), "bob")
    (desk.folder / "ssh-keygen").write_bytes(b"\x7fELF, but not really")
    (desk.folder / "ssh-keygen").chmod(0o755)
    monkeypatch.setattr(sshsig, "FOLDERS", str(desk.folder))
    assert "cannot be started: Exec format error" in desk.refused()


# The list of signers ----------------------------------------------------------------------------


@pytest.fixture
def signers(folder: Path) -> Path:
    if os.geteuid() != 0:
        require_bed("a file of somebody else takes root to make")
    path = folder / "signers"
    path.write_text("bob ssh-ed25519 AAAA\n", encoding="utf-8")
    path.chmod(0o644)
    return path


@pytest.fixture
def as_nobody(signers: Path) -> Iterator[Path]:
    os.seteuid(_NOBODY)
    yield signers
    os.seteuid(0)


def complaint(path: Path) -> str:
    with pytest.raises(RefusedError) as caught:
        read_signers(path)
    return str(caught.value)


def test_grd_08_signers_of_root_may_be_read_by_root_and_by_others(as_nobody: Path) -> None:
    assert read_signers(as_nobody).startswith(b"bob")
    os.seteuid(0)
    assert read_signers(as_nobody).startswith(b"bob")


def test_grd_08_signers_of_the_running_user_do_not_count(signers: Path, as_nobody: Path) -> None:
    os.seteuid(0)
    os.chown(signers, _NOBODY, 0)
    os.seteuid(_NOBODY)
    assert "could have written who may approve" in complaint(signers)


def test_grd_08_signers_that_the_running_user_may_write_do_not_count(as_nobody: Path) -> None:
    os.seteuid(0)
    as_nobody.chmod(0o666)
    os.seteuid(_NOBODY)
    assert "could have written who may approve" in complaint(as_nobody)


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_grd_08_root_needs_a_list_that_root_alone_may_write(signers: Path, mode: int) -> None:
    signers.chmod(mode)
    assert "could have written who may approve" in complaint(signers)


def test_grd_08_root_needs_a_list_of_root(signers: Path) -> None:
    os.chown(signers, _NOBODY, 0)
    assert "could have written who may approve" in complaint(signers)


def test_grd_08_signers_in_a_folder_where_they_can_be_replaced_do_not_count(
    signers: Path, as_nobody: Path
) -> None:
    os.seteuid(0)
    os.chown(signers.parent, _NOBODY, 0)
    assert "could replace it" in complaint(signers)
    os.seteuid(_NOBODY)
    assert "could replace it" in complaint(signers)
    os.seteuid(0)
    os.chown(signers.parent, 0, 0)
    signers.parent.chmod(0o777)
    assert "could replace it" in complaint(signers)
    os.seteuid(_NOBODY)
    assert "could replace it" in complaint(signers)


def test_grd_08_signers_behind_a_link_do_not_count(signers: Path) -> None:
    (signers.parent / "link").symlink_to(signers)
    (signers.parent / "way").symlink_to(signers.parent)
    assert "symbolic link" in complaint(signers.parent / "link")
    assert "symbolic link" in complaint(signers.parent / "way" / "signers")


def test_grd_08_signers_that_are_no_file_or_not_there_are_refused(signers: Path) -> None:
    assert "is no regular file" in complaint(signers.parent)
    pipe = signers.parent / "pipe"
    os.mkfifo(pipe)
    assert "is no regular file" in complaint(pipe)
    assert "cannot be read: No such file" in complaint(signers.parent / "none")
    signers.write_bytes(b"#" * (MAX_BYTES + 1))
    assert "is larger than 1 MiB" in complaint(signers)
