-- What the people of a business who answer chats share with each other.

-- The newest message of a chat that any of them has seen.
CREATE TABLE seen (
    business_id INTEGER NOT NULL,
    chat_id     INTEGER NOT NULL,
    message_id  INTEGER NOT NULL,
    PRIMARY KEY (business_id, chat_id),
    FOREIGN KEY (business_id, chat_id) REFERENCES chat
) STRICT, WITHOUT ROWID;

-- Replies to choose from.
CREATE TABLE saved_reply (
    business_id INTEGER NOT NULL REFERENCES business,
    reply_id    INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    text        TEXT    NOT NULL,
    PRIMARY KEY (business_id, reply_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX saved_reply_name ON saved_reply (business_id, name);
