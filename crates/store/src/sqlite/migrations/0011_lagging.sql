-- A message leaves its chat's row alone, and with it the lists: what it says of the chat, the newest message says as well.
-- Chats with events after `listed_event_id` of their business may have messages that their rows do not know of; every so
-- many events the rows are brought up to them together. So lists need no columns of their own.
DROP INDEX chat_by_update;
DROP INDEX chat_by_kind;
ALTER TABLE chat DROP COLUMN listed_status;
ALTER TABLE chat DROP COLUMN listed_at;
CREATE INDEX chat_by_update ON chat (business_id, updated_at, chat_id);
CREATE INDEX chat_by_kind ON chat (business_id, type, status, context_type, updated_at, chat_id);

-- Events lie in the order in which they happened, so that each new one is at the end. What a business's are looked for by is
-- short: a place in it is one of many on its page.
ALTER TABLE event RENAME TO event_before;
CREATE TABLE event (
    business_id INTEGER NOT NULL,
    event_id    INTEGER PRIMARY KEY,
    type        TEXT    NOT NULL,
    chat_id     INTEGER NOT NULL,
    message_id  INTEGER,
    at          INTEGER NOT NULL
) STRICT;
INSERT INTO event SELECT business_id, event_id, type, chat_id, message_id, at FROM event_before ORDER BY event_id;
DROP TABLE event_before;
CREATE INDEX event_of_business ON event (business_id, event_id, chat_id);
