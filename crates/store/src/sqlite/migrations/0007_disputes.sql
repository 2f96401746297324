-- What the marketplace's people do by hand.

-- The desk's list: unfinished disputes of all businesses, the one that has waited longest first.
CREATE INDEX dispute_waiting ON chat (updated_at, business_id, chat_id)
    WHERE type = 'ARBITRAGE' AND status <> 'FINISHED';

-- How disputes were settled. `token_id` is whose operator token it was; tokens go, verdicts stay.
CREATE TABLE verdict (
    business_id INTEGER NOT NULL,
    chat_id     INTEGER NOT NULL,
    decided_for TEXT    NOT NULL,
    text        TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    token_id    INTEGER NOT NULL,
    PRIMARY KEY (business_id, chat_id),
    FOREIGN KEY (business_id, chat_id) REFERENCES chat
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    audit_id    INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    token_id    INTEGER NOT NULL,
    deed        TEXT    NOT NULL,
    business_id INTEGER NOT NULL REFERENCES business,
    chat_id     INTEGER,
    about       TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_of_dispute ON audit (business_id, chat_id, audit_id) WHERE chat_id IS NOT NULL;
