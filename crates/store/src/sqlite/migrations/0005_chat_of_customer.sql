-- A buyer's own chats, the newest first. Sorted by their beginning: a message changes nothing here.
CREATE INDEX chat_by_customer ON chat (business_id, customer_id, chat_id);
