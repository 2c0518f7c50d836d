"""Each step of the protocol as one statement, which commits by itself. Pure.

A client that is stopped in the middle holds no row, and any connection of a pooler will do. What a statement
changes it changes only while `key`, `epoch` and the id of the owner are those of the lease; `for share` and
`for update` make it wait for whoever is breaking the lock at that moment, and then look again. Every one may
be repeated.
"""

from __future__ import annotations

from typing import Final

LOCK: Final = """
insert into defendctl.state as s (key, epoch, owner, locked_at)
values (%(key)s, 1, %(owner)s::jsonb, now())
on conflict (key) do update
    set epoch = s.epoch + 1, owner = excluded.owner, locked_at = excluded.locked_at, beat = 0
    where coalesce(jsonb_typeof(s.owner), 'null') = 'null' or s.owner->>'id' = %(id)s
returning s.epoch, current_setting('synchronous_commit')
"""
UNLOCK: Final = """
update defendctl.state set epoch = epoch + 1, owner = null, locked_at = null
where key = %(key)s and coalesce(owner->>'id', '') = %(id)s
"""

_HELD: Final = """
    select s.key, s.epoch from defendctl.state s
    where s.key = %(key)s and s.epoch = %(epoch)s and s.owner->>'id' = %(id)s"""

APPEND: Final = f"""
with held as ({_HELD}
    for share)
insert into defendctl.journal (key, epoch, seq, line)
select held.key, held.epoch, added.seq, added.line
from held, unnest(%(seqs)s::bigint[], %(lines)s::text[]) as added (seq, line)
on conflict do nothing
returning seq
"""
APPENDED: Final = """
select line from defendctl.journal
where key = %(key)s and epoch = %(epoch)s and seq = any(%(seqs)s::bigint[]) order by seq
"""
"""Whether they are there already."""

REPLACE: Final = f"""
with held as ({_HELD} and s.version is not distinct from %(version)s::bigint
    for update),
put as (
    insert into defendctl.versions (key, lineage, serial, writer, nonce, document)
    select key, %(lineage)s, %(serial)s::bigint, %(writer)s, %(nonce)s::uuid, %(document)s::bytea from held
    on conflict do nothing
    returning id, key),
pointed as (
    update defendctl.state s set version = put.id from put where s.key = put.key),
folded as (
    delete from defendctl.journal j using put where j.key = put.key and j.epoch <= %(epoch)s),
pruned as (
    delete from defendctl.versions v using put
    where v.key = put.key and v.written_at < now() - interval '1 day' and v.id not in (
        select id from defendctl.versions where key = %(key)s order by id desc limit 10))
select id from put
"""
"""All rows of the journal are of the document: none was added since the lease read them, but its own."""
REPLACED: Final = "select id from defendctl.versions where key = %(key)s and nonce = %(nonce)s::uuid"

DROP: Final = f"""
with held as ({_HELD}
    for share)
delete from defendctl.journal j using held where j.key = held.key and j.epoch <= held.epoch
"""
BEAT: Final = """
update defendctl.state set beat = beat + 1
where key = %(key)s and epoch = %(epoch)s and owner->>'id' = %(id)s
returning beat
"""

LEAVE: Final = """
insert into defendctl.left_ids (key, op, workflow_id) values (%(key)s, %(op)s, %(workflow_id)s)
on conflict do nothing
"""
FORGET: Final = "delete from defendctl.left_ids where key = %(key)s and op = %(op)s"

_SEEN: Final = """
    s.epoch, s.beat, s.owner, coalesce(s.owner->>'id', '') as owner_id,
    (select max(seq) from defendctl.journal where key = %(key)s and epoch = s.epoch) as seq,
    (select coalesce(jsonb_agg(jsonb_build_array(op, workflow_id,
        to_char(left_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"')) order by left_at), '[]')
        from defendctl.left_ids where key = %(key)s) as left_ids,
    (select coalesce(jsonb_agg(jsonb_build_array(lineage, serial, writer)), '[]') from (
        select distinct on (lineage) lineage, serial, writer from defendctl.versions
        where key = %(key)s and serial is not null order by lineage, serial desc) newest) as newest"""
_OF_THE_KEY: Final = """
from (select 1) one left join defendctl.state s on s.key = %(key)s"""

LOOK: Final = f"select {_SEEN} {_OF_THE_KEY}"
READ: Final = f"""
select {_SEEN},
    s.version, octet_length(v.document) as size,
    case when octet_length(v.document) <= %(largest)s then v.document end as document,
    j.size as journal_size,
    case when j.size <= %(largest)s then (
        select string_agg(line, E'\\n' order by epoch, seq)
        from defendctl.journal where key = %(key)s) end as journal
{_OF_THE_KEY}
left join defendctl.versions v on v.id = s.version
left join lateral (
    select sum(octet_length(line)) as size from defendctl.journal where key = %(key)s) j on true
"""
"""All of one moment. Of what is too large only the size."""

VERSIONS: Final = """
select id, serial, writer, to_char(written_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"') as at
from defendctl.versions where key = %(key)s and serial is not null order by id desc limit 100
"""
PROBE: Final = """
select pg_is_in_recovery() as standby, current_setting('synchronous_commit') as synchronous_commit,
    current_setting('transaction_read_only') as read_only, current_user as role,
    (select count(*) from pg_stat_replication) as replicas,
    current_setting('synchronous_standby_names') as waited_for,
    coalesce((select has_schema_privilege(oid, 'USAGE') from pg_namespace where nspname = 'defendctl'), true)
        as usage,
    coalesce((select jsonb_object_agg(c.relname, (
        select coalesce(jsonb_agg(privilege), '[]')
        from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) privilege
        where has_table_privilege(c.oid, privilege)))
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'defendctl' and c.relkind in ('r', 'p')), '{}') as tables
"""
