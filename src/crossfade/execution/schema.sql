-- The journal of runs, version 1. One process writes; others read, and append to `command`.
-- An entity's row is what its events add up to: `journal verify` replays them and compares.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    id       TEXT PRIMARY KEY,
    run_id   TEXT NOT NULL,              -- itself: the four entity tables have the same shape
    parent   TEXT,
    state    TEXT NOT NULL,
    attempt  INTEGER NOT NULL DEFAULT 1,
    added_at TEXT NOT NULL,
    moved_at TEXT NOT NULL,
    reason   TEXT NOT NULL DEFAULT '',
    data     TEXT NOT NULL DEFAULT '{}'  -- JSON object; each move merges into it (RFC 7396)
) STRICT, WITHOUT ROWID;

CREATE TABLE wave (
    id       TEXT PRIMARY KEY,
    run_id   TEXT NOT NULL REFERENCES run (id),
    parent   TEXT,
    state    TEXT NOT NULL,
    attempt  INTEGER NOT NULL DEFAULT 1,
    added_at TEXT NOT NULL,
    moved_at TEXT NOT NULL,
    reason   TEXT NOT NULL DEFAULT '',
    data     TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;

CREATE TABLE host (
    id       TEXT PRIMARY KEY,
    run_id   TEXT NOT NULL REFERENCES run (id),
    parent   TEXT,                       -- its wave
    state    TEXT NOT NULL,
    attempt  INTEGER NOT NULL DEFAULT 1,
    added_at TEXT NOT NULL,
    moved_at TEXT NOT NULL,
    reason   TEXT NOT NULL DEFAULT '',
    data     TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;
CREATE INDEX host_by_parent ON host (parent);

CREATE TABLE step (
    id       TEXT PRIMARY KEY,
    run_id   TEXT NOT NULL REFERENCES run (id),
    parent   TEXT,                       -- what it belongs to: a host, a chain of objects
    state    TEXT NOT NULL,
    attempt  INTEGER NOT NULL DEFAULT 1,
    added_at TEXT NOT NULL,
    moved_at TEXT NOT NULL,
    reason   TEXT NOT NULL DEFAULT '',
    data     TEXT NOT NULL DEFAULT '{}'  -- ids only, never a secret
) STRICT, WITHOUT ROWID;
CREATE INDEX step_by_parent ON step (parent);
CREATE INDEX step_by_state ON step (state);

CREATE TABLE event (
    seq            INTEGER PRIMARY KEY,  -- 1, 2, 3 … without a gap
    at             TEXT NOT NULL,
    actor          TEXT NOT NULL,
    kind           TEXT NOT NULL,        -- run, wave, host, step, command or note
    subject        TEXT NOT NULL,
    run_id         TEXT NOT NULL,
    parent         TEXT,
    from_state     TEXT,
    to_state       TEXT,
    reason         TEXT NOT NULL,
    request_id     TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    data           TEXT NOT NULL,
    prev_hash      TEXT NOT NULL,
    hash           TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_subject ON event (kind, subject, seq);
CREATE TRIGGER event_is_append_only_update BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER event_is_append_only_delete BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TABLE command (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          TEXT NOT NULL,
    actor       TEXT NOT NULL,
    verb        TEXT NOT NULL,           -- pause, resume, approve, abort, skip …
    subject     TEXT NOT NULL DEFAULT '',
    args        TEXT NOT NULL DEFAULT '{}',
    state       TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done', 'refused')),
    answer      TEXT NOT NULL DEFAULT '',
    answered_at TEXT
) STRICT;
CREATE INDEX command_by_state ON command (state, id);

CREATE TABLE lease (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    fence        INTEGER NOT NULL,       -- one more with each holder
    holder       TEXT NOT NULL,
    acquired_at  TEXT NOT NULL,
    heartbeat_at TEXT NOT NULL,
    released_at  TEXT
) STRICT;
