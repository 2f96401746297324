//! Keys and operator tokens, made and revoked beside a running server.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::binary::{Server, new_key, printed, run};

/// Within this much a running server notices what another process changed.
const AT_ONCE: Duration = Duration::from_millis(500);

#[test]
fn a_key_acts_at_once_on_a_running_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    server.set_up();
    let create = [
        "keys",
        "create",
        "--business",
        "1",
        "--name",
        "crm",
        "--scope",
        "communication",
    ];
    let said = run(folder.path(), &create);
    assert_eq!(said.code, Some(0), "{said:?}");
    let key = said.out.strip_suffix('\n').expect("a line");
    assert!(
        key.starts_with("ACMA:") && !key.contains(char::is_whitespace),
        "the key alone: {key}"
    );
    assert!(!said.err.contains(key), "{said:?}");
    assert_eq!(
        server.status_for(key),
        StatusCode::NOT_FOUND,
        "there is no chat 1"
    );

    let said = run(folder.path(), &create);
    assert_eq!(
        (said.code, &*said.out),
        (Some(1), ""),
        "the name is taken: {said:?}"
    );
    assert!(said.err.contains("has this name"), "{said:?}");

    let list = printed(folder.path(), &["keys", "list", "--business", "1"]);
    let line = list.lines().nth(1).expect("a key");
    assert!(
        line.contains("active") && line.contains("crm") && line.contains("communication"),
        "{list}"
    );
    assert!(!list.contains("ACMA"), "{list}");

    printed(folder.path(), &["keys", "revoke", "--business", "1", "crm"]);
    let revoked = Instant::now();
    while server.status_for(key) != StatusCode::UNAUTHORIZED {
        assert!(revoked.elapsed() < AT_ONCE, "the key still works");
    }
    let list = printed(folder.path(), &["keys", "list", "--business", "1"]);
    assert!(list.contains("revoked"), "{list}");
}

#[test]
fn a_key_is_revoked_by_its_id_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    server.set_up();
    let kept = new_key(folder.path(), "kept", "all-methods");
    let other = new_key(folder.path(), "other", "all-methods:read-only");
    let list = printed(folder.path(), &["keys", "list", "--business", "1"]);
    let line = list.lines().find(|line| line.contains("other")).expect("listed");
    let id = line.split_whitespace().next().expect("an id");
    printed(folder.path(), &["keys", "revoke", "--business", "1", id]);
    let revoked = Instant::now();
    while server.status_for(&other) != StatusCode::UNAUTHORIZED {
        assert!(revoked.elapsed() < AT_ONCE, "the key still works");
    }
    assert_eq!(server.status_for(&kept), StatusCode::NOT_FOUND);
    let said = run(folder.path(), &["keys", "revoke", "--business", "1", id]);
    assert_eq!(said.code, Some(1), "it is no active key any more: {said:?}");
    assert!(said.err.contains("prilavok keys list"), "{said:?}");
}

#[test]
fn a_business_must_be_there() {
    let folder = tempfile::tempdir().expect("a folder");
    printed(folder.path(), &["operator-token", "create"]);
    let create = [
        "keys",
        "create",
        "--business",
        "7",
        "--name",
        "crm",
        "--scope",
        "pricing",
    ];
    for arguments in [&create[..], &["keys", "list", "--business", "7"]] {
        let said = run(folder.path(), arguments);
        assert_eq!((said.code, &*said.out), (Some(1), ""), "{said:?}");
        assert!(
            said.err.contains("no business 7") && said.err.contains("PUT /operator/v1/businesses/7"),
            "{said:?}"
        );
    }
}

#[test]
fn an_operator_token_is_printed_alone_and_acts_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    // Before the first start there is no store; it is made.
    let early = printed(folder.path(), &["operator-token", "create"]);
    let server = Server::start(folder.path());
    let late = printed(folder.path(), &["operator-token", "create"]);
    for token in [&early, &late] {
        assert_eq!(token.split_whitespace().count(), 1, "{token}");
        let request = server.get("/operator/v1/businesses").bearer_auth(token.trim());
        assert_eq!(request.send().expect("an answer").status(), StatusCode::OK);
    }
    let request = server.get("/operator/v1/businesses").bearer_auth("pop_unknown");
    assert_eq!(
        request.send().expect("an answer").status(),
        StatusCode::UNAUTHORIZED
    );
}

#[test]
fn a_revoked_operator_token_stops_working_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let [kept, lost] = [(); 2].map(|()| printed(folder.path(), &["operator-token", "create"]));
    let status_for = |token: &str| {
        let request = server.get("/operator/v1/businesses").bearer_auth(token.trim());
        request.send().expect("an answer").status()
    };
    assert_eq!(status_for(&lost), StatusCode::OK);
    let list = printed(folder.path(), &["operator-token", "list"]);
    let ids: Vec<_> = list
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(ids.len(), 2, "{list}");
    assert!(!list.contains("pop_"), "{list}");
    printed(folder.path(), &["operator-token", "revoke", ids[1]]);
    let revoked = Instant::now();
    while status_for(&lost) != StatusCode::UNAUTHORIZED {
        assert!(revoked.elapsed() < AT_ONCE, "the token still works");
    }
    assert_eq!(status_for(&kept), StatusCode::OK);
    let said = run(folder.path(), &["operator-token", "revoke", ids[1]]);
    assert_eq!((said.code, &*said.out), (Some(1), ""), "{said:?}");
    assert!(said.err.contains("prilavok operator-token list"), "{said:?}");
}
