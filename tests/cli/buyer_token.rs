//! `prilavok buyer-token`, and the token that `serve --demo` prints.

use reqwest::StatusCode;
use serde_json::Value;

use crate::binary::{Server, printed, run};
use crate::demo;

const SECRET: (&str, &str) = (
    "PRILAVOK_BUYER__KEYS__MAIN__HS256",
    "0123456789abcdef0123456789abcdef",
);
const BUYER: [&str; 5] = ["buyer-token", "--business", "1", "--customer", "customer-0002"];

fn me(server: &Server, token: &str) -> (StatusCode, Value) {
    let answer = server.get("/buyer/v1/me").bearer_auth(token.trim()).send();
    let answer = answer.expect("an answer");
    (answer.status(), answer.json().expect("JSON"))
}

#[test]
fn the_demo_opens_a_chat_in_a_shops_page_out_of_the_box() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, introduction) = demo::start(folder.path());
    let token = introduction.buyer();
    for token in [token, &printed(folder.path(), &BUYER)] {
        let (status, me) = me(&server, token);
        assert_eq!(
            (status, &me["customerId"]),
            (StatusCode::OK, &"customer-0002".into())
        );
    }
    let example = server.get("/ui/widget/example").send().expect("an answer");
    assert_eq!(example.status(), StatusCode::OK);
}

#[test]
fn without_the_demo_only_configured_keys_count() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(demo::start(folder.path()));
    let own = printed(folder.path(), &BUYER);
    let server = Server::with(folder.path(), &[], &[SECRET]);
    assert_eq!(me(&server, &own).0, StatusCode::UNAUTHORIZED);
    let signed = crate::binary::command(folder.path(), &BUYER)
        .env(SECRET.0, SECRET.1)
        .output()
        .expect("it runs");
    let signed = String::from_utf8(signed.stdout).expect("text");
    assert_eq!(me(&server, &signed).0, StatusCode::OK);
    let (_, lines) = server.stop();
    assert!(
        lines
            .iter()
            .all(|line| !line.contains(SECRET.1) && !line.contains(signed.trim()))
    );
}

#[test]
fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(demo::start(folder.path()));
    for (arguments, told) in [
        (["--business", "99", "--customer", "x"], "no business 99"),
        (["--business", "0", "--customer", "x"], "--business"),
        (["--business", "1", "--customer", ""], "--customer"),
    ] {
        let said = run(folder.path(), &[&["buyer-token"][..], &arguments].concat());
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.contains(told), "{said:?}");
    }
    let said = run(folder.path(), &[&BUYER[..], &["--minutes", "61"]].concat());
    assert!(
        said.code == Some(1) && said.err.contains("from 1 to 60"),
        "{said:?}"
    );
}
