//! Somebody who is signed in to the pages, and whose browser comes to another node each time.

use prilavok_test_postgres::Cluster;
use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::redirect::Policy;

use crate::fleet::Fleet;

#[test]
fn who_signs_in_and_out_does_so_at_all_nodes() {
    let fleet = Fleet::on(Cluster::shared(), 1);
    let client = Client::builder()
        .redirect(Policy::none())
        .build()
        .expect("a client");
    let url = |node: usize, path: &str| format!("{}{path}", fleet.nodes[node].address);
    let post = |node, path, cookie: &str, form: &[(&str, &str)]| -> Response {
        let request = client.post(url(node, path)).header(COOKIE, cookie);
        request.form(form).send().expect("an answer")
    };
    let signed_in = post(0, "/ui/sign-in", "", &[("secret", &fleet.shop.key)]);
    let cookie = signed_in.headers()[SET_COOKIE].to_str().expect("ASCII");
    let cookie = cookie.split(';').next().expect("a pair");
    let get = |node| -> Response {
        let request = client.get(url(node, "/ui/replies")).header(COOKIE, cookie);
        request.send().expect("an answer")
    };
    let page = get(1).text().expect("text");
    let token = page.split("name=\"csrf\" value=\"").nth(1).expect("a token");
    let token = token.split('"').next().expect("a token");

    // The form of one node's page is sent to another one.
    let reply = [("csrf", token), ("name", "hello"), ("text", "Hello!")];
    assert_eq!(
        post(2, "/ui/replies", cookie, &reply).status(),
        StatusCode::SEE_OTHER
    );
    let page = get(0).text().expect("text");
    assert!(page.contains("hello"), "{page}");

    let signed_out = post(1, "/ui/sign-out", cookie, &[("csrf", token)]);
    assert_eq!(signed_out.status(), StatusCode::SEE_OTHER);
    for node in 0..fleet.nodes.len() {
        assert_eq!(get(node).status(), StatusCode::SEE_OTHER, "node {node}");
    }
}
