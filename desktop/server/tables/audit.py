"""The audit log. Values only, any thread."""

from sqlalchemy import DDL, JSON, Column, Index, String, Table, event

from desktop.server.schema import Id, Instant, metadata

# What people and commands changed, each in the transaction of the change: `actor` "person:ana" from `address`, or
# "operator" for commands on the server's own machine; `before` and `after` hold what differs, never a secret.
audit_log = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", String(300), nullable=False),
    Column("address", String(80), nullable=False),
    Column("action", String(40), nullable=False),
    Column("target", String(300), nullable=False),
    Column("before", JSON(none_as_null=True)),
    Column("after", JSON(none_as_null=True)),
    Index("ix_audit_at", "at", "id"),
)

# The database itself lets nobody change or delete a line of it.
_FIXED = {
    "sqlite": (
        (
            "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END"
        ),
        (
            "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END"
        ),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION audit_is_fixed() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit log is never changed'; END $$"
        ),
        (
            "CREATE TRIGGER audit_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_fixed()"
        ),
    ),
}
for _dialect, _statements in _FIXED.items():
    for _statement in _statements:
        event.listen(audit_log, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
