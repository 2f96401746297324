-- What sendMessageToChat writes: the message, the chat's new state, the business's head and the event, in one statement.
\set business random(1, 100)
\set chat 250000000000000 + 1009 * (:business + 102 * random(0, 99))
\set message 400000000000000 + random(1, 1000000000000)
WITH moved AS (
    UPDATE chat SET status = 'WAITING_FOR_CUSTOMER', updated_at = updated_at + 1, last_message_id = :message
    WHERE business_id = :business AND chat_id = :chat RETURNING chat_id),
written AS (
    INSERT INTO message (business_id, chat_id, message_id, created_at, sender, text, files)
    SELECT :business, chat_id, :message, 1800000000000, 'PARTNER',
        'Добрый день! Посылка уже в пути, ждём её в пункте выдачи завтра к вечеру. Хорошего дня!', 0 FROM moved),
head AS (
    UPDATE business_head SET last_event_id = next_event(last_event_id, :message::bigint & 4095)
    WHERE business_id = :business AND EXISTS (SELECT 1 FROM moved) RETURNING last_event_id)
INSERT INTO event (business_id, event_id, type, chat_id, message_id, at)
SELECT :business, last_event_id, 'CHAT_MESSAGE_SENT', :chat, :message, 1800000000000 FROM head;
