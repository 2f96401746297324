-- Who is signed in to the pages, at whichever node. Sessions belong to no business: an operator's are of none.

CREATE TABLE session (
    session_hash bytea  PRIMARY KEY,
    secret_hash  bytea  NOT NULL,
    used_at      bigint NOT NULL
);

CREATE INDEX session_of_secret ON session (secret_hash, used_at);
CREATE INDEX session_age ON session (used_at);
