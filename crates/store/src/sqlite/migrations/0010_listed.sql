-- Where a chat is in the lists of its business. Messages do not move it there: they would change a page of each index,
-- which costs more than all else that a message is. Chats with events after `listed_event_id` of their business may be
-- elsewhere than the lists have them; every so many events they are moved together.
ALTER TABLE chat ADD COLUMN listed_status TEXT NOT NULL DEFAULT '';
ALTER TABLE chat ADD COLUMN listed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE business ADD COLUMN listed_event_id INTEGER NOT NULL DEFAULT 0;

DROP INDEX chat_by_update;
DROP INDEX chat_by_kind;
UPDATE chat SET listed_status = status, listed_at = updated_at;
UPDATE business SET listed_event_id =
    coalesce((SELECT max(event_id) FROM event e WHERE e.business_id = business.business_id), 0);
CREATE INDEX chat_by_update ON chat (business_id, listed_at, chat_id);
CREATE INDEX chat_by_kind ON chat (business_id, type, listed_status, context_type, listed_at, chat_id);
