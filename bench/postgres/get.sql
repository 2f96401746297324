-- The select of getChat: one chat with its customer, of 10,000 (100 businesses with 100 chats each).
\set business random(1, 100)
\set chat 250000000000000 + 1009 * (:business + 102 * random(0, 99))
SELECT c.business_id, c.chat_id, c.type, c.status, c.context_type, c.context_id, c.customer_id, u.name, c.order_id,
    c.campaign_id, c.created_at, c.updated_at, c.last_message_id
FROM chat c JOIN customer u ON u.customer_id = c.customer_id WHERE c.business_id = :business AND c.chat_id = :chat;
