"""TST-16: what must not stand in the source, read off its syntax trees."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "snapaudit"
ACTING = frozenset(
    {"act", "acting", "calls", "ways", "sending", "offline", "definitions", "stopping"}
)

BANNED = re.compile(
    r"DELETE_CHILDREN|CHILDREN_ONLY|VIR_DOMAIN_UNDEFINE|\bundefine\b|revertToSnapshot"
    r"|(?<!VirtualMachine\.State\.)RevertTo"  # the name of that right is no call
    r"|RemoveAllSnapshots|RemoveAllSnapshots_Task|removeChildren=True|DestroyVM|Destroy_Task"
    r"|UnregisterVM|Remove-VM\b(?!Snapshot)|IncludeAllChildSnapshots|storageVolDelete|vol\.delete"
    r"|\bwipe(?:Pattern)?\(|checkpointDelete|managedSaveRemove"
)
METHODS = frozenset(
    {"undefine", "undefineFlags", "destroy", "destroyFlags", "revertToSnapshot", "shutdown"}
    | {"wipe", "wipePattern", "managedSaveRemove", "blockRebase", "blockPull", "reset"}
    | {"removeAllSnapshots", "hard_shutdown", "VM_destroy"}
)
# What changes something on a libvirt host, by the names of the client library.
MUTATING = frozenset(
    {"blockCommit", "blockJobAbort", "blockJobSetSpeed", "defineXML", "snapshotCreateXML"}
    | {"createXML", "create", "resume", "suspend", "attachDeviceFlags", "detachDeviceFlags"}
    | {"updateDeviceFlags", "setMetadata", "upload", "resize", "blockResize", "migrate"}
)
RETRIES = re.compile(
    r"retry|retries|backoff|relogin|re_login|tenacity|attempts?_left", re.IGNORECASE
)


@cache
def trees() -> dict[str, ast.Module]:
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 100
    return {
        str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8"))
        for path in files
    }


def nodes(kind: type[ast.AST], within: str = "") -> Iterator[tuple[str, ast.AST]]:
    for name, tree in trees().items():
        if name.startswith(within):
            yield from ((name, node) for node in ast.walk(tree) if isinstance(node, kind))


def called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def calls(within: str = "") -> Iterator[tuple[str, ast.Call]]:
    return ((name, node) for name, node in nodes(ast.Call, within) if isinstance(node, ast.Call))


def acting(name: str) -> bool:
    """Whether a module is one of those that act on a platform."""
    path = Path(name)
    return path.parts[0] == "hypervisors" and path.stem in ACTING


def names_in(tree: ast.Module) -> Iterator[str]:
    """Everything that is named, called or imported; neither comments nor docstrings."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word):
                yield word
            case ast.FunctionDef(name=word) | ast.ClassDef(name=word):
                yield word
            case ast.keyword(arg=str(word)):
                yield word
            case ast.ImportFrom(module=str(word)) | ast.alias(name=word):
                yield word


def texts(tree: ast.Module) -> Iterator[str]:
    """Every text that is not a docstring."""
    prose = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def found(where: Callable[[str], bool], what: re.Pattern[str]) -> list[str]:
    return [
        f"{name}: {word}"
        for name, tree in trees().items()
        if where(name)
        for word in (*names_in(tree), *texts(tree))
        if what.search(word)
    ]


def test_tst_16_inv_04_nothing_that_removes_more_than_one_snapshot_is_named_anywhere() -> None:
    assert found(lambda _: True, BANNED) == []


def test_tst_16_inv_04_no_method_that_ends_wipes_or_reverts_a_machine_is_called() -> None:
    bad = [
        f"{name}:{node.lineno} {called(node)}"
        for name, node in calls("hypervisors")
        if isinstance(node.func, ast.Attribute)
        and node.func.attr in METHODS
        and not called(node).startswith("socket.")  # of a line, not of a machine
    ]
    assert bad == []


def test_tst_16_inv_04_a_snapshot_is_deleted_alone_or_as_a_record_only() -> None:
    """The one method of libvirt's that deletes gets 0, or the flag that drops a record."""
    given = [
        ast.unparse(node.args[0])
        for _, node in calls("hypervisors/libvirt")
        if isinstance(node.func, ast.Attribute) and node.func.attr == "delete" and node.args
    ]
    assert sorted(given) == ["0", "record_only"]
    source = (PACKAGE / "hypervisors/libvirt/sending.py").read_text(encoding="utf-8")
    assert "record_only = target.sdk.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY\n" in source


def test_tst_16_u1_a_commit_always_names_what_it_merges_and_into_what() -> None:
    commits = [node for _, node in calls() if called(node).endswith(".blockCommit")]
    assert len(commits) == 1
    _, base, top, _, _ = commits[0].args
    assert isinstance(base, ast.Name)
    assert isinstance(top, ast.Name)
    source = (PACKAGE / "hypervisors/libvirt/sending.py").read_text(encoding="utf-8")
    assert 'base, top = _number(call, "rate"), names[at + 1], names[at]' in source


def test_tst_16_grd_24_nothing_that_acts_knows_a_retry() -> None:
    assert found(acting, RETRIES) == []


@pytest.mark.parametrize("name", [name for name in trees() if acting(name)])
def test_tst_16_grd_24_no_call_that_changes_something_stands_in_a_loop(name: str) -> None:
    loops = [n for n in ast.walk(trees()[name]) if isinstance(n, ast.For | ast.While)]
    sent = {"send", "make", "run", "delete", *MUTATING}
    bad = [
        ast.unparse(node.func)
        for loop in loops
        for node in ast.walk(loop)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in sent
    ]
    assert bad == []


def test_tst_16_inv_15_the_core_sends_where_an_intent_was_written_and_nowhere_else() -> None:
    sending = {
        name
        for name, node in calls()
        if isinstance(node.func, ast.Attribute)
        and node.func.attr == "send"
        and not name.startswith(("hypervisors", "app/worker", "mail/"))
    }
    assert "enforce/errand.py" in sending
    assert sending <= {"enforce/errand.py", "enforce/stopping.py"}


def test_inv_12_what_changes_a_libvirt_host_is_called_by_the_acting_modules_alone() -> None:
    bad = [
        f"{name}:{node.lineno} {called(node)}"
        for name, node in calls("hypervisors")
        if isinstance(node.func, ast.Attribute)
        and node.func.attr in MUTATING | {"delete"}
        and not acting(name)
    ]
    assert bad == []


def test_tst_16_i10_no_moment_without_a_zone_is_taken() -> None:
    bad = [
        f"{name}:{node.lineno}"
        for name, node in calls()
        if (called(node).endswith("datetime.now") or called(node).endswith("fromtimestamp"))
        and not any(ast.unparse(a).endswith("UTC") for a in (*node.args, *_values(node)))
    ]
    bad += [f"{n}:{c.lineno}" for n, c in calls() if called(c).endswith(("utcnow", "date.today"))]
    assert bad == []


def _values(node: ast.Call) -> list[ast.expr]:
    return [keyword.value for keyword in node.keywords]


def test_tst_16_s7_no_program_is_run_through_a_shell() -> None:
    shells = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}
    bad = [f"{name}:{node.lineno}" for name, node in calls() if called(node) in shells]
    bad += [
        f"{name}:{node.lineno}"
        for name, node in calls()
        if called(node).startswith("subprocess.")
        and (
            any(k.arg == "shell" for k in node.keywords)
            or (node.args and isinstance(node.args[0], ast.JoinedStr | ast.BinOp | ast.Constant))
        )
    ]
    assert bad == []


def test_tst_16_s7_no_shell_is_named_to_run_a_text() -> None:
    shells = re.compile(r"^(/bin/)?(ba|da|z|k)?sh$|^powershell(\.exe)?$|^-(Encoded)?Command$")
    named = {
        (name, text)
        for name, tree in trees().items()
        for text in texts(tree)
        if shells.search(text)
    }
    # Windows hosts are asked by PowerShell: the shipped bootstrap, which is constant.
    delivery, transport = "hypervisors/hyperv/delivery.py", "hypervisors/hyperv/transport.py"
    asked = {(delivery, "powershell.exe"), (delivery, "-EncodedCommand"), (transport, "powershell")}
    assert named - asked == set()


def test_s9_no_text_becomes_code() -> None:
    runs = {"eval", "exec", "compile", "__import__", "pickle.load", "pickle.loads", "marshal.loads"}
    runs |= {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "Template", "jinja2.Template"}
    runs |= {"from_string", "runpy.run_path"}
    bad = [
        f"{name}:{node.lineno} {called(node)}"
        for name, node in calls()
        if called(node) in runs or called(node).endswith((".from_string", ".render_str"))
    ]
    assert bad == []


def test_inv_12_there_is_no_switch_for_a_dry_run() -> None:
    assert found(lambda _: True, re.compile(r"dry_?run", re.IGNORECASE)) == []


def test_inv_12_actuators_are_built_by_apply_and_by_a_person_who_stops_a_merge_alone() -> None:
    built = [name for name, node in calls() if called(node).endswith(".actuator")]
    assert "app/applying.py" in built
    assert set(built) <= {"app/applying.py", "app/stopping.py"}


def test_inv_12_modules_that_act_are_loaded_by_the_entry_of_their_platform_alone() -> None:
    for name, tree in trees().items():
        top_level = [n for n in tree.body if isinstance(n, ast.ImportFrom)]
        loaded = [f"{n.module}.{a.name}" for n in top_level for a in n.names]
        acts = [m for m in loaded if re.search(r"hypervisors\.\w+\.act(?:\.|$)", m)]
        assert acts == [], name
    entries = {
        name
        for name, node in nodes(ast.ImportFrom)
        if isinstance(node, ast.ImportFrom)
        and re.search(r"hypervisors\.\w+\.act$", node.module or "")
    }
    assert entries <= {
        "hypervisors/libvirt/collect.py",
        "hypervisors/vsphere/visiting.py",
        "hypervisors/hyperv/visiting.py",
        "hypervisors/xen/hypervisor.py",
    }


def test_inv_12_what_changes_a_vcenter_is_called_where_it_acts_and_once_each() -> None:
    tasks = {"RemoveSnapshot_Task", "ConsolidateVMDisks_Task"}
    made = [
        (name, node.attr)
        for name, node in nodes(ast.Attribute, "hypervisors/vsphere")
        if isinstance(node, ast.Attribute) and node.attr in tasks
    ]
    assert sorted(made) == [("hypervisors/vsphere/acting.py", task) for task in sorted(tasks)]


def test_a_lint_that_finds_nothing_can_find_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pattern, shown what it is there to find."""
    bad = ast.parse("def f(dry_run):\n    domain.undefine()\n    retry(send, 'sh')\n")
    monkeypatch.setitem(trees(), "hypervisors/libvirt/act.py", bad)
    assert found(lambda _: True, BANNED) == ["hypervisors/libvirt/act.py: undefine"]
    assert found(acting, RETRIES) == ["hypervisors/libvirt/act.py: retry"]
    assert found(lambda _: True, re.compile(r"dry_?run")) != []
