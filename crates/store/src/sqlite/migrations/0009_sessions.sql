-- Who is signed in to the pages.

CREATE TABLE session (
    session_hash BLOB    NOT NULL PRIMARY KEY,
    secret_hash  BLOB    NOT NULL,
    used_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_of_secret ON session (secret_hash, used_at);
CREATE INDEX session_age ON session (used_at);
