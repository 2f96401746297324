-- A message that puts its event where a business's are looked for changes a page of a large index for that alone. Events that
-- came last hang together instead, each names the one before it, and are put there together, when rows are brought up to
-- their messages. Before that is so, all rows are.
UPDATE chat SET (status, updated_at, last_message_id) =
    (SELECT CASE m.sender WHEN 'CUSTOMER' THEN 'WAITING_FOR_PARTNER' WHEN 'PARTNER' THEN 'WAITING_FOR_CUSTOMER'
                ELSE chat.status END, m.created_at, m.message_id
     FROM message m WHERE m.business_id = chat.business_id AND m.chat_id = chat.chat_id
     ORDER BY m.message_id DESC LIMIT 1)
WHERE type = 'CHAT'
    AND (business_id, chat_id) IN
        (SELECT e.business_id, e.chat_id FROM business b CROSS JOIN event e INDEXED BY event_of_business
         ON e.business_id = b.business_id AND e.event_id > b.listed_event_id)
    AND EXISTS (SELECT 1 FROM message m WHERE m.business_id = chat.business_id AND m.chat_id = chat.chat_id
                    AND m.message_id > coalesce(chat.last_message_id, 0));
ALTER TABLE business DROP COLUMN listed_event_id;

-- The events of a business by their ids, but for those that came last.
CREATE TABLE event_place (
    business_id INTEGER NOT NULL,
    event_id    INTEGER NOT NULL,
    PRIMARY KEY (business_id, event_id)
) STRICT, WITHOUT ROWID;
INSERT INTO event_place SELECT business_id, event_id FROM event INDEXED BY event_of_business ORDER BY business_id, event_id;
DROP INDEX event_of_business;
ALTER TABLE event_place RENAME TO event_of_business;

-- Of those, the newest of each business, and how many they are.
CREATE TABLE recent (
    business_id     INTEGER PRIMARY KEY,
    newest_event_id INTEGER,
    events          INTEGER NOT NULL
) STRICT;
ALTER TABLE event ADD COLUMN before_id INTEGER;
-- What the event's message left its chat as, where the chat's row was not told.
ALTER TABLE event ADD COLUMN leaves TEXT;

CREATE TRIGGER event_removed AFTER DELETE ON event BEGIN
    DELETE FROM event_of_business WHERE business_id = OLD.business_id AND event_id = OLD.event_id;
END;
