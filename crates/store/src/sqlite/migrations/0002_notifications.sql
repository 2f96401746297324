-- What sellers and screens are told of, written in the transaction of what caused it.

CREATE TABLE event (
    business_id INTEGER NOT NULL,
    event_id    INTEGER NOT NULL,
    type        TEXT    NOT NULL,
    chat_id     INTEGER NOT NULL,
    message_id  INTEGER,
    at          INTEGER NOT NULL,
    PRIMARY KEY (business_id, event_id)
) STRICT, WITHOUT ROWID;

-- The operator's stream shows the events of all businesses in one order.
CREATE INDEX event_order ON event (event_id);

CREATE TABLE subscription (
    business_id           INTEGER NOT NULL REFERENCES business,
    subscription_id       INTEGER NOT NULL,
    name                  TEXT    NOT NULL,
    url                   TEXT    NOT NULL,
    types                 TEXT    NOT NULL,
    -- NULL while it is enabled, else HAND or FAILURES.
    disabled              TEXT,
    secret_generation     INTEGER NOT NULL,
    previous_secret_until INTEGER,
    created_at            INTEGER NOT NULL,
    -- Every event up to this one is delivered, refused or cancelled.
    settled_event_id      INTEGER NOT NULL,
    failing_since         INTEGER,
    next_try_at           INTEGER,
    PRIMARY KEY (business_id, subscription_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX subscription_name ON subscription (business_id, name);

-- Events that were asked for again, in the order of asking.
CREATE TABLE again (
    business_id     INTEGER NOT NULL,
    subscription_id INTEGER NOT NULL,
    again_id        INTEGER NOT NULL,
    event_id        INTEGER NOT NULL,
    PRIMARY KEY (business_id, subscription_id, again_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
    business_id     INTEGER NOT NULL,
    attempt_id      INTEGER NOT NULL,
    subscription_id INTEGER NOT NULL,
    event_id        INTEGER NOT NULL,
    type            TEXT    NOT NULL,
    chat_id         INTEGER NOT NULL,
    message_id      INTEGER,
    event_at        INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    duration_ms     INTEGER NOT NULL,
    status          INTEGER,
    error           TEXT,
    answer          TEXT    NOT NULL,
    outcome         TEXT    NOT NULL,
    PRIMARY KEY (business_id, attempt_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempt_of_subscription ON attempt (business_id, subscription_id, attempt_id);
CREATE INDEX attempt_age ON attempt (at);

INSERT INTO meta (name, value) VALUES ('subscriptions_version', 1);

-- Which objects of the file store a message names.
CREATE INDEX file_object ON message_file (object);
