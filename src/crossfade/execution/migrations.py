"""A journal that an earlier version wrote, brought to this version's schema: a step a version, all in one transaction.

The chain of events is never rewritten: a migration changes tables and columns around it, and `journal verify` holds
before and after. `tests/journals` keeps a journal as each released version left it.
"""

import sqlite3
from typing import Final

from crossfade.execution.records import SCHEMA_VERSION

MIGRATIONS: Final[dict[int, str]] = {}
"""Schema version -> SQL that makes the next one of it, in the words of `schema.sql`: a journal in a PostgreSQL is given
the same, translated. Version 1 is the only one so far."""


def upgrade(connection: sqlite3.Connection, found: int) -> None:
    """From schema `found` to ours, or not at all. The connection commits by hand."""
    steps = [MIGRATIONS[version] for version in range(found, SCHEMA_VERSION)]
    try:
        connection.executescript("\n".join(["BEGIN IMMEDIATE;", *steps]))
        connection.execute("UPDATE meta SET value = ? WHERE name = 'schema_version'", (str(SCHEMA_VERSION),))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def upgraded_copy(connection: sqlite3.Connection, found: int) -> sqlite3.Connection:
    """What a file of schema `found` would be after its upgrade, in memory: whoever only reads changes no file."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.backup(copy)
        upgrade(copy, found)
    except BaseException:
        copy.close()
        raise
    finally:
        connection.close()
    return copy
