-- Messages lie by numbers: those of a chat side by side, each with the number of its chat in front and its own behind (see
-- `places`). A key of three columns in front of each text made the way to a page long, and each step on it dear. What is short
-- of a message is one number, `head`; the view `message` shows it as columns.

-- The number of a chat in this file. It is never given to another one.
ALTER TABLE chat ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE chat SET number = numbered.number
    FROM (SELECT business_id, chat_id, row_number() OVER (ORDER BY business_id, chat_id) AS number FROM chat) numbered
    WHERE chat.business_id = numbered.business_id AND chat.chat_id = numbered.chat_id;
CREATE UNIQUE INDEX chat_by_number ON chat (number);
INSERT INTO meta (name, value) SELECT 'last_chat_number', coalesce(max(number), 0) FROM chat;

CREATE TABLE message_row (
    place      INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL,
    -- Milliseconds, 3 bits of the sender, 8 of how many files the message carries.
    head       INTEGER NOT NULL,
    text       TEXT
) STRICT;
INSERT INTO message_row
    SELECT (c.number << 24) + row_number() OVER (PARTITION BY m.business_id, m.chat_id ORDER BY m.message_id),
        m.message_id,
        m.created_at << 11 | m.files |
            (CASE m.sender WHEN 'CUSTOMER' THEN 0 WHEN 'PARTNER' THEN 1 WHEN 'MARKET' THEN 2 WHEN 'SUPPORT' THEN 3 ELSE 7 END << 8),
        m.text
    FROM message m CROSS JOIN chat c ON c.business_id = m.business_id AND c.chat_id = m.chat_id
    ORDER BY m.business_id, m.chat_id, m.message_id;

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
    FOREIGN KEY (business_id, chat_id) REFERENCES chat
) STRICT, WITHOUT ROWID;
INSERT INTO message_file SELECT * FROM message_file_before;
DROP TABLE message_file_before;
CREATE UNIQUE INDEX file_by_id ON message_file (business_id, file_id);
CREATE INDEX file_object ON message_file (object);
CREATE INDEX file_kept ON message_file (business_id, file_id) WHERE removed_at IS NULL;

DROP TABLE message;
CREATE VIEW message AS
    SELECT c.business_id, c.chat_id, m.message_id, m.head >> 11 AS created_at,
        CASE m.head >> 8 & 7 WHEN 0 THEN 'CUSTOMER' WHEN 1 THEN 'PARTNER' WHEN 2 THEN 'MARKET' WHEN 3 THEN 'SUPPORT'
            ELSE 'UNKNOWN' END AS sender,
        m.text, m.head & 255 AS files, m.place
    FROM chat c CROSS JOIN message_row m ON m.place BETWEEN c.number << 24 AND c.number << 24 | 16777215;

-- Of a message's place no foreign key can tell whose it is.
CREATE TRIGGER chat_removed BEFORE DELETE ON chat
    WHEN EXISTS (SELECT 1 FROM message_row WHERE place BETWEEN OLD.number << 24 AND OLD.number << 24 | 16777215)
BEGIN
    SELECT raise(ABORT, 'a chat that has messages cannot be removed');
END;
