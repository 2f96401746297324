//! What only shows over plain HTTP: forged requests, headers, other tenants, cookies, panics of nobody.

use reqwest::Method;
use reqwest::blocking::multipart::Form;
use reqwest::blocking::{RequestBuilder, Response};

use crate::market::Market;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Signs in; answers the cookie and the session's token.
pub(crate) fn sign_in(market: &Market, key: &str) -> (String, String) {
    let answer = market
        .request(Method::POST, "/ui/sign-in")
        .form(&[("secret", key)])
        .send()
        .expect("an answer");
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().expect("ASCII").to_owned();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/ui"), "{cookie}");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let page = get(market, "/ui/", &cookie).text().expect("text");
    let token = page.split("name=\"csrf\" value=\"").nth(1).expect("a token");
    (cookie, token[..43].to_owned())
}

pub(crate) fn get(market: &Market, path: &str, cookie: &str) -> Response {
    let request = market.request(Method::GET, path).header("Cookie", cookie);
    request.send().expect("an answer")
}

fn status(request: RequestBuilder) -> u16 {
    request.send().expect("an answer").status().as_u16()
}

#[test]
fn every_answer_has_its_headers_and_says_nothing_of_the_store_to_strangers() {
    let market = Market::open();
    let (cookie, _) = sign_in(&market, &market.key);
    for (path, expected) in [
        ("/ui/", 200),
        ("/ui/chats/1", 200),
        ("/ui/chats/999", 404),
        ("/ui/chats/x", 404),
        ("/ui/nothing", 404),
        ("/ui/assets/0/ui.js", 404),
        ("/ui/files/999", 404),
        ("/ui/sign-in", 200),
    ] {
        let answer = get(&market, path, &cookie);
        assert_eq!(answer.status(), expected, "{path}");
        let headers = answer.headers();
        assert_eq!(headers["content-security-policy"], POLICY, "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["referrer-policy"], "same-origin");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8", "{path}");
        let page = answer.text().expect("text");
        assert!(
            !page.contains("<script>") && !page.contains(" style=") && !page.contains("<style"),
            "{path}"
        );
    }
    for path in [
        "/ui/",
        "/ui/chats/1",
        "/ui/list",
        "/ui/chats/1/news",
        "/ui/files/1",
        "/ui/replies",
        "/ui/events",
    ] {
        let answer = market.request(Method::GET, path).send().expect("an answer");
        assert_eq!(answer.status(), 303, "{path}");
        assert!(
            answer.headers()["location"]
                .to_str()
                .expect("ASCII")
                .starts_with("/ui/sign-in?next=")
        );
        let part = market.request(Method::GET, path).header("X-Part", "1");
        assert_eq!(status(part), 401, "{path}");
    }
}

#[test]
fn a_seller_sees_nothing_of_another_one() {
    let market = Market::open();
    let (cookie, token) = sign_in(&market, &market.other);
    for path in ["/ui/chats/1", "/ui/chats/1/news", "/ui/chats/1/earlier"] {
        assert_eq!(get(&market, path, &cookie).status(), 404, "{path}");
    }
    let send = market
        .request(Method::POST, "/ui/chats/1/messages")
        .header("Cookie", &cookie);
    assert_eq!(
        status(send.multipart(Form::new().text("csrf", token).text("text", "x"))),
        404
    );
}

#[test]
fn what_another_site_sends_is_refused() {
    let market = Market::open();
    let (cookie, token) = sign_in(&market, &market.key);
    let before = market.messages(1).len();
    let send = |token: &str| {
        let form = Form::new().text("csrf", token.to_owned()).text("text", "forged");
        let request = market
            .request(Method::POST, "/ui/chats/1/messages")
            .header("Cookie", &cookie);
        request.multipart(form)
    };
    assert_eq!(status(send("")), 403);
    assert_eq!(status(send(&"a".repeat(43))), 403);
    assert_eq!(status(send(&token).header("Sec-Fetch-Site", "cross-site")), 403);
    assert_eq!(status(send(&token).header("Sec-Fetch-Site", "same-site")), 403);
    assert_eq!(status(send(&token).header("Origin", "http://evil.example")), 403);
    assert_eq!(status(send(&token).header("Origin", "null")), 403);
    let late = Form::new().text("text", "forged").text("csrf", token.clone());
    let late = market
        .request(Method::POST, "/ui/chats/1/messages")
        .header("Cookie", &cookie)
        .multipart(late);
    assert_eq!(status(late), 403, "the token comes first");
    assert_eq!(market.messages(1).len(), before);
    for path in ["/ui/replies", "/ui/replies/1", "/ui/chats/1/seen", "/ui/sign-out"] {
        let form = market.request(Method::POST, path).header("Cookie", &cookie);
        assert_eq!(status(form.form(&[("name", "x"), ("text", "x")])), 403, "{path}");
    }
    assert_eq!(status(send(&token).header("Origin", &market.url)), 303);
    assert_eq!(market.messages(1).len(), before + 1);
    let sign_in = market
        .request(Method::POST, "/ui/sign-in")
        .header("Sec-Fetch-Site", "cross-site");
    assert_eq!(
        status(sign_in.form(&[("secret", &market.key)])),
        403,
        "nobody is signed in as somebody else"
    );
}

#[test]
fn a_key_that_may_only_read_cannot_write() {
    let market = Market::open();
    let (cookie, token) = sign_in(&market, &market.reader);
    market.customer_writes(1, "?");
    let unread = || {
        get(&market, "/ui/", &cookie)
            .text()
            .expect("text")
            .matches("class=\"unread\"")
            .count()
    };
    let before = unread();
    assert_eq!(get(&market, "/ui/chats/1", &cookie).status(), 200);
    assert_eq!(unread(), before, "what it reads is unread for those who answer");
    let form = Form::new().text("csrf", token.clone()).text("text", "x");
    let send = market
        .request(Method::POST, "/ui/chats/1/messages")
        .header("Cookie", &cookie)
        .multipart(form);
    assert_eq!(status(send), 403);
    let add = market
        .request(Method::POST, "/ui/replies")
        .header("Cookie", &cookie);
    assert_eq!(
        status(add.form(&[("csrf", token.as_str()), ("name", "x"), ("text", "x")])),
        403
    );
}

#[test]
fn too_many_wrong_keys_have_to_wait_each_address_behind_a_proxy_by_itself() {
    let market = Market::open();
    let attempt = |secret: &str, forwarded_for: &str| {
        let request = market
            .request(Method::POST, "/ui/sign-in")
            .header("X-Forwarded-For", forwarded_for);
        status(request.form(&[("secret", secret)]))
    };
    std::thread::scope(|scope| {
        let tries: Vec<_> = (0..20)
            .map(|number: u8| {
                // Who names others in front of himself stays who he is.
                let claims = format!("8.8.8.{number}, 9.9.9.9");
                scope.spawn(move || attempt("ACMA:x", &claims))
            })
            .collect();
        for one in tries {
            assert_eq!(one.join().expect("an answer"), 403);
        }
    });
    assert_eq!(attempt(&market.key, "9.9.9.9"), 429);
    assert_eq!(attempt(&market.key, "8.8.8.1"), 303);
}

#[test]
fn a_sellers_session_is_no_operators() {
    let market = Market::open();
    let (cookie, _) = sign_in(&market, &market.key);
    let cookie = cookie.replace("prilavok-seller=", "prilavok-operator=");
    let answer = get(&market, "/ui/operator", &cookie);
    assert_eq!(answer.status(), 303);
    let to = answer.headers()["location"].to_str().expect("ASCII");
    assert!(to.starts_with("/ui/operator/sign-in?next="), "{to}");
}

#[test]
fn cookies_are_for_encrypted_connections_where_the_server_has_one() {
    let market = Market::with(&[("PUBLIC_URL", "https://chats.example.com")]);
    let sign_in = market
        .request(Method::POST, "/ui/sign-in")
        .header("Origin", "https://chats.example.com");
    let answer = sign_in
        .form(&[("secret", &market.key)])
        .send()
        .expect("an answer");
    assert_eq!(answer.status(), 303);
    assert!(
        answer.headers()["set-cookie"]
            .to_str()
            .expect("ASCII")
            .ends_with("; Secure")
    );
}

#[test]
fn pages_work_without_scripts() {
    let market = Market::open();
    let (cookie, token) = sign_in(&market, &market.key);
    let form = Form::new()
        .text("csrf", token)
        .text("once", "1")
        .text("text", "первая\r\nвторая");
    let part = reqwest::blocking::multipart::Part::bytes(Vec::new()).file_name("");
    let send = market
        .request(Method::POST, "/ui/chats/1/messages?status=NEW")
        .header("Cookie", &cookie);
    let answer = send.multipart(form.part("file", part)).send().expect("an answer");
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["location"], "/ui/chats/1?status=NEW");
    let page = get(&market, "/ui/chats/1?status=NEW", &cookie)
        .text()
        .expect("text");
    assert!(page.contains("первая\nвторая</p>"));
    // For browsers that ask for a page of messages before one.
    assert!(page.contains("<time datetime=") && page.contains(" UTC</time>"));
}

/// What a page loads beside itself weighs less than this.
const ASSETS: usize = 40_000;

#[test]
fn a_page_stays_light_however_much_was_written_and_all_of_it_can_be_read() {
    let market = Market::open();
    let (cookie, token) = sign_in(&market, &market.key);
    for text in [
        "ы".repeat(4096),
        "<".repeat(4096),
        "https://a.example/?a&b ".repeat(178),
    ] {
        for _ in 0..15 {
            market.customer_writes(1, &text);
        }
        for number in 0..20 {
            let name = format!("{number} {}", &text[..60].replace('\n', " "));
            let add = market
                .request(Method::POST, "/ui/replies")
                .header("Cookie", &cookie);
            let form = [
                ("csrf", token.as_str()),
                ("name", name.as_str()),
                ("text", text.as_str()),
            ];
            assert_eq!(status(add.form(&form)), 303);
        }
    }
    let mut shown = 0;
    let mut path = "/ui/chats/1".to_owned();
    loop {
        let page = get(&market, &path, &cookie).text().expect("text");
        assert!(page.len() + ASSETS < 150_000, "{path}: {} bytes", page.len());
        shown += page.matches("data-message=").count();
        let Some((_, before)) = page.split_once("href=\"?before=") else {
            break;
        };
        let before = before.split('"').next().expect("an id");
        path = format!("/ui/chats/1?before={before}");
    }
    assert_eq!(shown, market.messages(1).len());
    let page = get(&market, "/ui/replies", &cookie).text().expect("text");
    assert!(page.len() + ASSETS < 150_000, "{} bytes", page.len());
}

/// Signs in as the marketplace; answers the cookie.
fn sign_in_operator(market: &Market) -> String {
    let answer = market
        .request(Method::POST, "/ui/operator/sign-in")
        .form(&[("secret", &market.token)])
        .send()
        .expect("an answer");
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().expect("ASCII");
    cookie.split(';').next().expect("a pair").to_owned()
}

#[test]
fn the_marketplaces_pages_are_for_the_marketplace() {
    let market = Market::open();
    let dispute = market.dispute(1);
    let (seller, _) = sign_in(&market, &market.key);
    let operator = sign_in_operator(&market);
    let open = format!("/ui/arbiter/1/{dispute}");
    for path in [
        "/ui/arbiter",
        "/ui/arbiter/list",
        &open,
        &format!("{open}/news"),
        "/ui/operator",
        "/ui/operator/businesses/1",
        "/ui/operator/businesses/1/deliveries",
        "/ui/operator/requests",
        "/ui/operator/limits",
        "/ui/operator/audit",
    ] {
        let answer = get(&market, path, &seller);
        assert_eq!(answer.status(), 303, "{path}");
        let to = answer.headers()["location"].to_str().expect("ASCII");
        assert!(to.starts_with("/ui/operator/sign-in?next="), "{to}");
        let answer = get(&market, path, &operator);
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-security-policy"], POLICY, "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
    }
    for path in [
        // An ordinary chat, another business's dispute, and what nobody has.
        "/ui/arbiter/1/1",
        &format!("/ui/arbiter/2/{dispute}"),
        "/ui/arbiter/1/999",
        "/ui/arbiter/x/y",
        "/ui/operator/businesses/999",
        "/ui/operator/businesses/999/deliveries",
        "/ui/operator/businesses/1/subscriptions/999",
        "/ui/operator/businesses/1/files/999",
        "/ui/operator/requests/999999",
        "/ui/operator/requests/-1",
    ] {
        assert_eq!(get(&market, path, &operator).status(), 404, "{path}");
    }
    let before = market.messages(dispute).len();
    for path in [
        &format!("{open}/messages"),
        &format!("{open}/verdict"),
        "/ui/operator/businesses/1/state",
        "/ui/operator/businesses/1/keys",
        "/ui/operator/businesses/1/keys/1/revoke",
        "/ui/operator/businesses/1/subscriptions/1/switch",
        "/ui/operator/businesses/1/subscriptions/1/again",
        "/ui/operator/businesses/1/deliveries/1/again",
    ] {
        let forged = market.request(Method::POST, path).header("Cookie", &operator);
        let fields = [
            ("text", "x"),
            ("decided-for", "BUYER"),
            ("state", "DISABLED"),
            ("name", "x"),
        ];
        assert_eq!(status(forged.form(&fields)), 403, "{path}");
    }
    assert_eq!(market.messages(dispute).len(), before);
}

#[test]
fn a_form_that_is_sent_twice_is_done_once() {
    let market = Market::open();
    let dispute = market.dispute(1);
    let operator = sign_in_operator(&market);
    let open = format!("/ui/arbiter/1/{dispute}");
    let page = get(&market, &open, &operator).text().expect("text");
    let value = |name: &str| {
        let rest = page
            .split(&format!("name=\"{name}\" value=\""))
            .nth(1)
            .expect("a field");
        rest.split('"').next().expect("a value").to_owned()
    };
    let (csrf, once) = (value("csrf"), value("once"));
    let send = |path: &str, text: &str| {
        let request = market.request(Method::POST, path).header("Cookie", &operator);
        status(request.form(&[
            ("csrf", &*csrf),
            ("once", &*once),
            ("text", text),
            ("decided-for", "SELLER"),
        ]))
    };
    let messages = format!("{open}/messages");
    for _ in 0..2 {
        assert_eq!(send(&messages, "once"), 303);
    }
    assert_eq!(market.messages(dispute).len(), 1);
    assert_eq!(send(&messages, "something else"), 422);
    assert_eq!(send(&messages, " "), 422);
    assert_eq!(send(&messages, &"x".repeat(4_097)), 422);
    assert_eq!(market.messages(dispute).len(), 1);
}
