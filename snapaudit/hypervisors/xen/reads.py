"""The calls of a session that reads. None of them changes anything (docs/safety.md, GRD-37)."""

from __future__ import annotations

LOGIN, LOGOUT = "session.login_with_password", "session.logout"
CLASSES = ("pool", "host", "SR", "PBD", "VM", "VBD", "VDI", "VMSS")
CLOCK, RIGHTS = "host.get_servertime", "session.get_rbac_permissions"
SUPERUSER = "session.get_is_local_superuser"

READS = frozenset(
    {LOGIN, LOGOUT, CLOCK, RIGHTS, SUPERUSER}
    | {f"{name}.get_all_records" for name in CLASSES}
    | {f"{name}.get_all_records_where" for name in ("VM", "VBD", "VDI")}
    | {f"{name}.{call}" for name in ("VM", "VBD", "VDI") for call in ("get_record", "get_by_uuid")}
    | {"task.get_record", "task.get_by_uuid", "task.get_uuid"}
)
