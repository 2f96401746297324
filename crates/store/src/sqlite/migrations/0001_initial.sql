-- Every key begins with the business: the tenant. Exceptions: customers are known to all
-- businesses, operator tokens and meta belong to none.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (name, value) VALUES ('access_version', 1), ('last_id', 0), ('secret', randomblob(32));

CREATE TABLE business (
    business_id INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    state       TEXT NOT NULL
) STRICT;

CREATE TABLE campaign (
    business_id INTEGER NOT NULL REFERENCES business,
    campaign_id INTEGER NOT NULL,
    domain      TEXT NOT NULL,
    placement   TEXT NOT NULL,
    state       TEXT NOT NULL,
    PRIMARY KEY (business_id, campaign_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE customer (
    customer_id TEXT PRIMARY KEY,
    name        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE purchase (
    business_id INTEGER NOT NULL,
    order_id    INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,
    customer_id TEXT    NOT NULL REFERENCES customer,
    test        INTEGER NOT NULL,
    PRIMARY KEY (business_id, order_id),
    FOREIGN KEY (business_id, campaign_id) REFERENCES campaign
) STRICT, WITHOUT ROWID;

CREATE TABLE purchase_return (
    business_id INTEGER NOT NULL,
    return_id   INTEGER NOT NULL,
    order_id    INTEGER NOT NULL,
    PRIMARY KEY (business_id, return_id),
    FOREIGN KEY (business_id, order_id) REFERENCES purchase
) STRICT, WITHOUT ROWID;

CREATE TABLE credential (
    business_id   INTEGER NOT NULL REFERENCES business,
    credential_id INTEGER NOT NULL,
    kind          TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    scopes        TEXT    NOT NULL,
    campaigns     TEXT    NOT NULL,
    secret_hash   BLOB    NOT NULL UNIQUE,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    revoked_at    INTEGER,
    PRIMARY KEY (business_id, credential_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX credential_name ON credential (business_id, kind, name) WHERE revoked_at IS NULL;

CREATE TABLE operator_token (
    token_id    INTEGER PRIMARY KEY,
    secret_hash BLOB    NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE chat (
    business_id     INTEGER NOT NULL REFERENCES business,
    chat_id         INTEGER NOT NULL,
    type            TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    context_type    TEXT    NOT NULL,
    -- The order's or the return's id; zero for a direct chat, which is one for each customer.
    context_id      INTEGER NOT NULL,
    customer_id     TEXT    NOT NULL REFERENCES customer,
    order_id        INTEGER,
    campaign_id     INTEGER,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    last_message_id INTEGER,
    PRIMARY KEY (business_id, chat_id)
) STRICT, WITHOUT ROWID;

-- At most one CHAT for each context, one direct CHAT for each customer, one unfinished ARBITRAGE for
-- each context.
CREATE UNIQUE INDEX chat_of_context ON chat (business_id, context_type, context_id)
    WHERE type = 'CHAT' AND context_type <> 'DIRECT';
CREATE UNIQUE INDEX chat_of_customer ON chat (business_id, customer_id)
    WHERE type = 'CHAT' AND context_type = 'DIRECT';
CREATE UNIQUE INDEX chat_in_arbitration ON chat (business_id, context_type, context_id)
    WHERE type = 'ARBITRAGE' AND status <> 'FINISHED';

-- Lists: without a filter; by type, status and kind of context; by order or return.
CREATE INDEX chat_by_update ON chat (business_id, updated_at, chat_id);
CREATE INDEX chat_by_kind ON chat (business_id, type, status, context_type, updated_at, chat_id);
CREATE INDEX chat_by_order ON chat (business_id, order_id);
CREATE INDEX chat_by_context ON chat (business_id, context_type, context_id);

CREATE TABLE message (
    business_id INTEGER NOT NULL,
    chat_id     INTEGER NOT NULL,
    message_id  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    sender      TEXT    NOT NULL,
    text        TEXT,
    -- How many files the message carries, so that messages without files need no look-up.
    files       INTEGER NOT NULL,
    PRIMARY KEY (business_id, chat_id, message_id),
    FOREIGN KEY (business_id, chat_id) REFERENCES chat
) STRICT, WITHOUT ROWID;

CREATE TABLE message_file (
    business_id INTEGER NOT NULL,
    file_id     INTEGER NOT NULL,
    chat_id     INTEGER NOT NULL,
    message_id  INTEGER NOT NULL,
    object      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    media_type  TEXT    NOT NULL,
    PRIMARY KEY (business_id, file_id),
    FOREIGN KEY (business_id, chat_id, message_id) REFERENCES message
) STRICT, WITHOUT ROWID;

CREATE INDEX file_of_message ON message_file (business_id, chat_id, message_id, file_id);

CREATE TABLE idempotency (
    business_id INTEGER NOT NULL,
    surface     TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    -- The id of what the operation made or touched.
    result      INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (business_id, surface, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_age ON idempotency (created_at);

CREATE TABLE limit_usage (
    business_id INTEGER NOT NULL,
    operation   TEXT    NOT NULL,
    hour        INTEGER NOT NULL,
    used        INTEGER NOT NULL,
    PRIMARY KEY (business_id, operation)
) STRICT, WITHOUT ROWID;
