-- Every key begins with the business: the tenant, by whom tables are divided between machines. What stands apart:
-- customers are known to all businesses, and erased in all; meta, node and operator_token belong to none; the indexes for
-- keys' hashes, event_order, dispute_waiting, file_object and taken_order serve questions about all businesses.
-- Foreign keys stay within a business. A customer's existence is checked by whoever names one.
-- Times are milliseconds since 1970, except those of leases, which are the database's own.

-- The id of the next event of a business whose last one is `last`: by this clock, and above `last` whatever the clock does.
-- `low` is the writing node's part of it, 12 bits.
CREATE FUNCTION next_event(last bigint, low bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN now_id > last THEN now_id ELSE ((last >> 12) + 1) << 12 | low END
    FROM (SELECT (floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint - 1704067200000) << 12 | low AS now_id) one
$$;

-- No event with an id below this one will be committed any more. An event's id is drawn by the clock within its transaction,
-- so it is not below the beginning of that; who has no transaction id yet draws an id later than now.
CREATE FUNCTION event_horizon() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (floor(extract(epoch FROM least(min(xact_start), statement_timestamp())) * 1000)::bigint - 1704067200000) << 12
    FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL
$$;

CREATE TABLE meta (
    name   text COLLATE "C" PRIMARY KEY,
    number bigint,
    bytes  bytea
);

CREATE TABLE node (
    -- The number within the ids that the node draws: 0 to 31.
    node_id  smallint PRIMARY KEY,
    -- Which process holds the number.
    instance bigint      NOT NULL,
    beat_at  timestamptz NOT NULL,
    -- No id of this number is above it: whoever takes the number over goes on above.
    last_id  bigint      NOT NULL
);

CREATE TABLE business (
    business_id bigint PRIMARY KEY,
    name        text NOT NULL,
    state       text NOT NULL
);

-- How far the events of a business have come. Whoever writes events locks it until the commit, as the last thing of all: so
-- ids of one business are committed in their order.
CREATE TABLE business_head (
    business_id   bigint PRIMARY KEY REFERENCES business,
    last_event_id bigint NOT NULL
);

CREATE TABLE campaign (
    business_id bigint NOT NULL REFERENCES business,
    campaign_id bigint NOT NULL,
    domain      text   NOT NULL,
    placement   text   NOT NULL,
    state       text   NOT NULL,
    PRIMARY KEY (business_id, campaign_id)
);

CREATE TABLE customer (
    customer_id text COLLATE "C" PRIMARY KEY,
    name        text NOT NULL,
    -- The place of the last change of the name, in the order of all changes.
    renamed     bigint,
    -- When they were erased; NULL once they are registered anew.
    erased_at   bigint
);

CREATE INDEX customer_renamed ON customer (renamed) WHERE renamed IS NOT NULL;

-- How far an erasure has come. Every chat of the customer before the place (business_id, chat_id) is done, and of the
-- chat at the place every message up to `message_id`. Whoever takes a step locks the row.
CREATE TABLE erasure (
    customer_id text COLLATE "C" PRIMARY KEY,
    asked_at    bigint NOT NULL,
    finished_at bigint,
    chats       bigint NOT NULL,
    chats_done  bigint NOT NULL,
    business_id bigint NOT NULL,
    chat_id     bigint NOT NULL,
    message_id  bigint NOT NULL
);

CREATE INDEX erasure_under_way ON erasure (asked_at, customer_id) WHERE finished_at IS NULL;

CREATE TABLE purchase (
    business_id bigint  NOT NULL,
    order_id    bigint  NOT NULL,
    campaign_id bigint  NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    test        boolean NOT NULL,
    PRIMARY KEY (business_id, order_id),
    FOREIGN KEY (business_id, campaign_id) REFERENCES campaign
);

CREATE INDEX order_of_customer ON purchase (business_id, customer_id, order_id);

CREATE TABLE purchase_return (
    business_id bigint NOT NULL,
    return_id   bigint NOT NULL,
    order_id    bigint NOT NULL,
    PRIMARY KEY (business_id, return_id),
    FOREIGN KEY (business_id, order_id) REFERENCES purchase
);

CREATE INDEX return_of_order ON purchase_return (business_id, order_id, return_id);

CREATE TABLE credential (
    business_id   bigint NOT NULL REFERENCES business,
    credential_id bigint NOT NULL,
    kind          text   NOT NULL,
    name          text COLLATE "C" NOT NULL,
    scopes        text   NOT NULL,
    campaigns     text   NOT NULL,
    secret_hash   bytea  NOT NULL,
    created_at    bigint NOT NULL,
    expires_at    bigint,
    revoked_at    bigint,
    PRIMARY KEY (business_id, credential_id)
);

CREATE UNIQUE INDEX credential_name ON credential (business_id, kind, name) WHERE revoked_at IS NULL;
-- Not unique: a key of two businesses cannot come about, since secrets are random.
CREATE INDEX credential_hash ON credential (secret_hash);

CREATE TABLE operator_token (
    token_id    bigint PRIMARY KEY,
    secret_hash bytea  NOT NULL UNIQUE,
    created_at  bigint NOT NULL
);

CREATE TABLE chat (
    business_id     bigint NOT NULL REFERENCES business,
    chat_id         bigint NOT NULL,
    type            text COLLATE "C" NOT NULL,
    status          text COLLATE "C" NOT NULL,
    context_type    text COLLATE "C" NOT NULL,
    -- The order's or the return's id; zero for a direct chat, which is one for each customer.
    context_id      bigint NOT NULL,
    customer_id     text COLLATE "C" NOT NULL,
    order_id        bigint,
    campaign_id     bigint,
    created_at      bigint NOT NULL,
    updated_at      bigint NOT NULL,
    last_message_id bigint,
    -- How often something of it was erased. A message is written only if this is as it was when its writer looked whether
    -- the customer may be written to: so none slips in behind an erasure.
    erasures        integer NOT NULL DEFAULT 0,
    PRIMARY KEY (business_id, chat_id)
);

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
-- A buyer's own chats, the newest first. Sorted by their beginning: a message changes nothing here.
CREATE INDEX chat_by_customer ON chat (business_id, customer_id, chat_id);
-- The desk's list: unfinished disputes of all businesses, the one that has waited longest first.
CREATE INDEX dispute_waiting ON chat (updated_at, business_id, chat_id)
    WHERE type = 'ARBITRAGE' AND status <> 'FINISHED';

CREATE TABLE message (
    business_id bigint  NOT NULL,
    chat_id     bigint  NOT NULL,
    message_id  bigint  NOT NULL,
    created_at  bigint  NOT NULL,
    sender      text    NOT NULL,
    text        text,
    -- How many files the message carries, so that messages without files need no look-up.
    files       integer NOT NULL,
    PRIMARY KEY (business_id, chat_id, message_id)
);

CREATE TABLE message_file (
    business_id bigint NOT NULL,
    file_id     bigint NOT NULL,
    chat_id     bigint NOT NULL,
    message_id  bigint NOT NULL,
    object      text COLLATE "C" NOT NULL,
    name        text   NOT NULL,
    size        bigint NOT NULL,
    media_type  text   NOT NULL,
    -- When its bytes were removed; its message shows that they are gone.
    removed_at  bigint,
    PRIMARY KEY (business_id, file_id)
);

CREATE INDEX file_of_message ON message_file (business_id, chat_id, message_id, file_id);
-- Which objects of the file store a message names.
CREATE INDEX file_object ON message_file (object);
CREATE INDEX file_kept ON message_file (business_id, file_id) WHERE removed_at IS NULL;

-- Chats that texts were taken away from, or that were removed, for those who keep copies elsewhere: each at the place
-- of the last time, in their order.
CREATE TABLE taken (
    business_id bigint NOT NULL,
    chat_id     bigint NOT NULL,
    place       bigint NOT NULL,
    at          bigint NOT NULL,
    PRIMARY KEY (business_id, chat_id)
);

CREATE INDEX taken_order ON taken (place);

CREATE TABLE idempotency (
    business_id bigint NOT NULL,
    surface     text COLLATE "C" NOT NULL,
    key         text COLLATE "C" NOT NULL,
    fingerprint bytea  NOT NULL,
    -- The id of what the operation made or touched.
    result      bigint NOT NULL,
    created_at  bigint NOT NULL,
    PRIMARY KEY (business_id, surface, key)
);

CREATE INDEX idempotency_age ON idempotency (created_at);

-- Calls of an hour that all nodes together have taken; `granted` is what the last one that asked was given.
CREATE TABLE limit_usage (
    business_id bigint NOT NULL,
    operation   text COLLATE "C" NOT NULL,
    hour        bigint NOT NULL,
    used        bigint NOT NULL,
    granted     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (business_id, operation)
);

-- What becomes of a claim of calls where `taken` of the window `kept` are taken: when the window begins that counts, what is
-- taken by then, and what may be made. A negative `at_most` gives back.
CREATE FUNCTION grant_calls(kept bigint, taken bigint, asked bigint, allowed bigint, at_least bigint, at_most bigint,
    parts bigint, OUT hour bigint, OUT used bigint, OUT granted bigint) LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN gives_back OR open THEN kept ELSE asked END,
        CASE WHEN gives_back AND kept = asked THEN greatest(taken + at_most, 0)
             WHEN gives_back THEN taken
             ELSE before + calls END,
        CASE WHEN gives_back THEN 0 ELSE calls END
    FROM (SELECT at_most < 0 AS gives_back, kept >= asked AND kept <= asked + 3600000 AS open) is_so,
        LATERAL (SELECT CASE WHEN open THEN taken ELSE 0 END AS before) was,
        LATERAL (SELECT greatest(allowed - before, 0) AS remaining) remains,
        LATERAL (SELECT least(greatest(remaining / parts, at_least), at_most, remaining) AS calls) gets
$$;

-- What sellers and screens are told of, written in the transaction of what caused it.
CREATE TABLE event (
    business_id bigint NOT NULL,
    event_id    bigint NOT NULL,
    type        text   NOT NULL,
    chat_id     bigint NOT NULL,
    message_id  bigint,
    at          bigint NOT NULL,
    PRIMARY KEY (business_id, event_id)
);

-- The operator's stream shows the events of all businesses in one order.
CREATE INDEX event_order ON event (event_id);

CREATE TABLE subscription (
    business_id           bigint NOT NULL REFERENCES business,
    subscription_id       bigint NOT NULL,
    name                  text COLLATE "C" NOT NULL,
    url                   text   NOT NULL,
    types                 text   NOT NULL,
    -- NULL while it is enabled, else HAND or FAILURES.
    disabled              text,
    secret_generation     bigint NOT NULL,
    previous_secret_until bigint,
    created_at            bigint NOT NULL,
    -- Every event up to this one is delivered, refused or cancelled.
    settled_event_id      bigint NOT NULL,
    failing_since         bigint,
    next_try_at           bigint,
    -- The process that delivers to it (node.instance), and for how long if it is not heard of again.
    owner                 bigint,
    leased_until          timestamptz,
    PRIMARY KEY (business_id, subscription_id)
);

CREATE UNIQUE INDEX subscription_name ON subscription (business_id, name);
-- A node renews what it holds, of all businesses.
CREATE INDEX subscription_of_owner ON subscription (owner) WHERE disabled IS NULL;

-- Events that were asked for again, in the order of asking.
CREATE TABLE again (
    business_id     bigint NOT NULL,
    subscription_id bigint NOT NULL,
    again_id        bigint NOT NULL,
    event_id        bigint NOT NULL,
    PRIMARY KEY (business_id, subscription_id, again_id)
);

CREATE TABLE attempt (
    business_id     bigint NOT NULL,
    attempt_id      bigint NOT NULL,
    subscription_id bigint NOT NULL,
    event_id        bigint NOT NULL,
    type            text   NOT NULL,
    chat_id         bigint NOT NULL,
    message_id      bigint,
    event_at        bigint NOT NULL,
    at              bigint NOT NULL,
    duration_ms     bigint NOT NULL,
    status          integer,
    error           text,
    answer          text   NOT NULL,
    outcome         text COLLATE "C" NOT NULL,
    PRIMARY KEY (business_id, attempt_id)
);

CREATE INDEX attempt_of_subscription ON attempt (business_id, subscription_id, attempt_id);
-- What went wrong is looked for most; what went well is not worth an index.
CREATE INDEX attempt_not_delivered ON attempt (business_id, outcome, attempt_id) WHERE outcome <> 'DELIVERED';
CREATE INDEX attempt_of_event ON attempt (business_id, event_id, attempt_id);

-- What the people of a business who answer chats share with each other.

-- The newest message of a chat that any of them has seen.
CREATE TABLE seen (
    business_id bigint NOT NULL,
    chat_id     bigint NOT NULL,
    message_id  bigint NOT NULL,
    PRIMARY KEY (business_id, chat_id),
    FOREIGN KEY (business_id, chat_id) REFERENCES chat
);

-- Replies to choose from.
CREATE TABLE saved_reply (
    business_id bigint NOT NULL REFERENCES business,
    reply_id    bigint NOT NULL,
    name        text COLLATE "C" NOT NULL,
    text        text   NOT NULL,
    PRIMARY KEY (business_id, reply_id)
);

CREATE UNIQUE INDEX saved_reply_name ON saved_reply (business_id, name);

-- How disputes were settled. `token_id` is whose operator token it was; tokens go, verdicts stay.
CREATE TABLE verdict (
    business_id bigint NOT NULL,
    chat_id     bigint NOT NULL,
    decided_for text   NOT NULL,
    text        text   NOT NULL,
    at          bigint NOT NULL,
    token_id    bigint NOT NULL,
    PRIMARY KEY (business_id, chat_id),
    FOREIGN KEY (business_id, chat_id) REFERENCES chat
);

-- What the marketplace's people do by hand.
CREATE TABLE audit (
    business_id bigint NOT NULL REFERENCES business,
    audit_id    bigint NOT NULL,
    at          bigint NOT NULL,
    token_id    bigint NOT NULL,
    deed        text   NOT NULL,
    chat_id     bigint,
    about       text   NOT NULL,
    PRIMARY KEY (business_id, audit_id)
);

CREATE INDEX audit_of_dispute ON audit (business_id, chat_id, audit_id) WHERE chat_id IS NOT NULL;
CREATE INDEX audit_order ON audit (audit_id);

INSERT INTO meta (name, number) VALUES ('access_version', 1), ('subscriptions_version', 1), ('scarce_version', 1), ('schema', 1), ('oldest_reader', 1);
