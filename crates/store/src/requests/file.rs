//! What the log's file is.

use crate::beside::Kind;

pub(super) const LOG: Kind = Kind {
    name: "the request log",
    // "PRLR"
    application_id: 0x5052_4C52,
    version: 2,
    schema: SCHEMA,
};

const SCHEMA: &str = "
    -- Without headers and bodies, so that looking for entries reads little.
    CREATE TABLE request (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        took_us INTEGER NOT NULL,
        request_id TEXT NOT NULL,
        method TEXT NOT NULL,
        target TEXT NOT NULL,
        operation TEXT,
        business_id INTEGER,
        caller_kind TEXT,
        caller_id INTEGER,
        caller_name TEXT,
        status INTEGER NOT NULL,
        rule TEXT
    ) STRICT;
    CREATE INDEX request_by_business ON request (business_id);
    CREATE INDEX request_by_id ON request (request_id);
    CREATE TABLE exchange (
        place INTEGER PRIMARY KEY,
        request_headers TEXT NOT NULL,
        request_body TEXT,
        request_cut INTEGER NOT NULL,
        request_bytes INTEGER,
        answer_headers TEXT NOT NULL,
        answer_body TEXT,
        answer_cut INTEGER NOT NULL,
        answer_bytes INTEGER
    ) STRICT;
    -- One row: up to which place what was taken away from chats is out of this log.
    CREATE TABLE progress (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        taken INTEGER NOT NULL
    ) STRICT;
    INSERT INTO progress (only, taken) VALUES (1, 0);";
