"""The tables of a state, as the SQL that makes them, for whoever may do that: no run does. Pure.

They stand in a schema of their own, so that nothing depends on a search path, which a pooler may share.
"""

from __future__ import annotations

from typing import Final

RIGHTS: Final = {
    "state": ("SELECT", "INSERT", "UPDATE"),
    "versions": ("SELECT", "INSERT", "DELETE"),
    "journal": ("SELECT", "INSERT", "DELETE"),
    "left_ids": ("SELECT", "INSERT", "DELETE"),
}
"""Table → what a run that writes does there. One that plans reads all four."""
WRITER: Final = "defendctl_writer"
READER: Final = "defendctl_reader"

_TABLES: Final = """\
-- The state of defendctl: any number of projects and environments, each under a key of its own.
-- Run it in the database that `state.url` names, as a role that may make schemas and roles:
--   defendctl state schema | psql --single-transaction --set ON_ERROR_STOP=1 DATABASE
-- It may be run again: what is there stays.

create schema if not exists defendctl;

-- One row is one document, as it was written: gzip of the JSON that `defendctl state pull` gives.
create table if not exists defendctl.versions (
    id bigint generated always as identity primary key,
    key text not null,
    lineage text,
    serial bigint,
    writer text,
    nonce uuid not null unique,           -- tells a write that is repeated from another one
    written_at timestamptz not null default now(),
    document bytea not null
);
alter table defendctl.versions alter column document set storage external;
create index if not exists versions_of_a_key on defendctl.versions (key, id);

-- One row is one state: which document counts, and who may write.
create table if not exists defendctl.state (
    key text primary key,
    epoch bigint not null,                -- grows with every lock that is taken or broken
    owner jsonb,                          -- the run that holds the lock; null: nobody
    locked_at timestamptz,
    beat bigint not null default 0,       -- grows while that run goes on
    version bigint references defendctl.versions (id)
);

-- What a run has recorded that is not part of a document yet, in order: a checksum and a JSON object a line.
create table if not exists defendctl.journal (
    key text not null,
    epoch bigint not null,
    seq bigint not null,
    written_at timestamptz not null default now(),
    line text not null,
    primary key (key, epoch, seq)
);

-- Workflows that were created by a run that could not record it any more.
create table if not exists defendctl.left_ids (
    key text not null,
    op text not null,                     -- the create that it answers
    workflow_id text not null,
    left_at timestamptz not null default now(),
    primary key (key, op, workflow_id)
);

-- Two roles that nobody logs in with. Grant them to those that do, apply the one and plan the other:
--   grant defendctl_writer to ci_apply;
--   grant defendctl_reader to ci_plan;
do $$
begin
    if not exists (select from pg_roles where rolname = 'defendctl_writer') then
        create role defendctl_writer nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'defendctl_reader') then
        create role defendctl_reader nologin;
    end if;
end
$$;
grant usage on schema defendctl to defendctl_writer, defendctl_reader;
"""


def schema_sql() -> str:
    """Ends with a newline. It may be run again, and changes nothing that is there."""
    lines = [f"grant {', '.join(do).lower()} on defendctl.{t} to {WRITER};\n" for t, do in RIGHTS.items()]
    lines += [f"grant select on defendctl.{table} to {READER};\n" for table in RIGHTS]
    return _TABLES + "".join(lines)


def missing_rights(granted: dict[str, set[str]]) -> list[str]:
    """`INSERT on defendctl.journal`, for each that a run which writes would lack."""
    return [
        f"{right} on defendctl.{t}" for t, do in RIGHTS.items() for right in do if right not in granted[t]
    ]
