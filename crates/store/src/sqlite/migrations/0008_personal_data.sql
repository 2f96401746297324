-- What is kept no longer: erased customers, files whose time is over, removed chats.

-- When a customer was erased; NULL once they are registered anew.
ALTER TABLE customer ADD COLUMN erased_at INTEGER;

-- How far an erasure has come. Every chat of the customer before the place (business_id, chat_id) is done, and of the
-- chat at the place every message up to `message_id`.
CREATE TABLE erasure (
    customer_id TEXT    PRIMARY KEY REFERENCES customer,
    asked_at    INTEGER NOT NULL,
    finished_at INTEGER,
    chats       INTEGER NOT NULL,
    chats_done  INTEGER NOT NULL,
    business_id INTEGER NOT NULL,
    chat_id     INTEGER NOT NULL,
    message_id  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX erasure_under_way ON erasure (asked_at, customer_id) WHERE finished_at IS NULL;

-- Files lie with their messages: when a message goes, SQLite looks for its files by the key of this table, and by nothing
-- else. `removed_at` is when a file's bytes were removed; its message shows that they are gone.
ALTER TABLE message_file RENAME TO message_file_before;
CREATE TABLE message_file (
    business_id INTEGER NOT NULL,
    file_id     INTEGER NOT NULL,
    chat_id     INTEGER NOT NULL,
    message_id  INTEGER NOT NULL,
    object      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    media_type  TEXT    NOT NULL,
    removed_at  INTEGER,
    PRIMARY KEY (business_id, chat_id, message_id, file_id),
    FOREIGN KEY (business_id, chat_id, message_id) REFERENCES message
) STRICT, WITHOUT ROWID;
INSERT INTO message_file SELECT business_id, file_id, chat_id, message_id, object, name, size, media_type, NULL
    FROM message_file_before;
DROP TABLE message_file_before;

CREATE UNIQUE INDEX file_by_id ON message_file (business_id, file_id);
CREATE INDEX file_object ON message_file (object);
CREATE INDEX file_kept ON message_file (business_id, file_id) WHERE removed_at IS NULL;

-- Chats that texts were taken away from, or that were removed, for those who keep copies elsewhere: each at the place
-- of the last time, in their order.
CREATE TABLE taken (
    business_id INTEGER NOT NULL,
    chat_id     INTEGER NOT NULL,
    place       INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (business_id, chat_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX taken_order ON taken (place);

-- What a customer bought and sent back.
CREATE UNIQUE INDEX order_of_customer ON purchase (business_id, customer_id, order_id);
CREATE INDEX return_of_order ON purchase_return (business_id, order_id, return_id);
