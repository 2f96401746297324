//! Which tokens open anything: signed by a configured key with the key's own algorithm, for this server, for now, and for
//! somebody.

use prilavok_domain::BusinessState;
use reqwest::Method;
use serde_json::{Value, json};

use crate::market::*;

fn header(alg: &str) -> Value {
    json!({"alg": alg, "typ": "JWT", "kid": "main"})
}

/// Claims of anna with one of them changed.
fn but(name: &str, value: Value) -> Value {
    let mut claims = claims(1, "anna");
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims(1, "anna");
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

#[test]
fn a_token_of_either_algorithm_opens_the_chats_of_its_customer() {
    let market = Market::open();
    let ed = json!({"alg": "EdDSA", "kid": "ed"});
    for token in [
        token(1, "anna"),
        eddsa(&ed, &claims(1, "anna"), &market.ed25519),
        signed(&but("aud", json!(["other", AUDIENCE]))),
        signed(&but("exp", json!(NOW as f64 + 0.5))),
        signed(&without("iat")),
        // Within the leeway that clocks get.
        signed(&but("exp", json!(NOW - 29))),
        signed(&but("nbf", json!(NOW + 29))),
        signed(&but("iat", json!(NOW + 29))),
        signed(&but("exp", json!(NOW + 3_600))),
    ] {
        let me = market.get(&token, "/me").is(200);
        assert_eq!(me["customerId"], "anna");
        assert_eq!(me["customerName"], "Анна К.");
        assert_eq!(me["businessId"], 1);
        assert_eq!(me["businessName"], "Лавка 1");
    }
}

#[test]
fn whatever_is_wrong_with_a_token_it_opens_nothing_and_says_why() {
    let market = Market::open();
    let anna = claims(1, "anna");
    let good = token(1, "anna");
    let (signed_part, signature) = good.rsplit_once('.').expect("parts");
    let forged = {
        let other = token(1, "boris");
        let (other, _) = other.rsplit_once('.').expect("parts");
        format!("{other}.{signature}")
    };
    // The public key, taken for a secret: the classic confusion of algorithms.
    let public = {
        use base64::Engine;
        use ring::signature::KeyPair;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(market.ed25519.public_key())
    };
    let table: Vec<(&str, String, &str)> = vec![
        ("nothing like a token", "x".to_owned(), "is no signed JWT"),
        ("two parts", "a.b".to_owned(), "is no signed JWT"),
        (
            "too long",
            format!("{good}{}", "A".repeat(5_000)),
            "is no signed JWT",
        ),
        (
            "unsigned",
            hs256(&header("none"), &anna, SECRET),
            "is no signed JWT",
        ),
        (
            "unsigned, without a signature",
            {
                let unsigned = hs256(&header("none"), &anna, SECRET);
                format!("{}.", unsigned.rsplit_once('.').expect("parts").0)
            },
            "is no signed JWT",
        ),
        (
            "no signature",
            format!("{signed_part}."),
            "a signature that does not fit",
        ),
        ("another's claims", forged, "a signature that does not fit"),
        (
            "another secret",
            hs256(&header("HS256"), &anna, &SECRET.replace('0', "1")),
            "a signature that does not fit",
        ),
        (
            "another algorithm",
            hs256(&header("HS512"), &anna, SECRET),
            "is not signed with the algorithm of its key",
        ),
        (
            "RSA",
            hs256(&header("RS256"), &anna, SECRET),
            "is not signed with the algorithm of its key",
        ),
        (
            "EdDSA by a secret's name",
            eddsa(&header("EdDSA"), &anna, &market.ed25519),
            "is not signed with the algorithm of its key",
        ),
        (
            "HS256 by a public key",
            hs256(&json!({"alg": "HS256", "kid": "ed"}), &anna, &public),
            "is not signed with the algorithm of its key",
        ),
        (
            "an unknown key",
            hs256(&json!({"alg": "HS256", "kid": "old"}), &anna, SECRET),
            "a key that is not configured",
        ),
        (
            "the server's own key, which is off",
            hs256(&json!({"alg": "HS256", "kid": "try-out"}), &anna, SECRET),
            "a key that is not configured",
        ),
        (
            "no kid",
            hs256(&json!({"alg": "HS256"}), &anna, SECRET),
            "needs a `kid`",
        ),
        (
            "critical",
            hs256(
                &json!({"alg": "HS256", "kid": "main", "crit": ["x"]}),
                &anna,
                SECRET,
            ),
            "`crit`",
        ),
        ("for somebody else", signed(&but("aud", json!("other"))), "`aud`"),
        ("for nobody", signed(&without("aud")), "`aud`"),
        ("without an end", signed(&without("exp")), "`exp` that is missing"),
        ("over", signed(&but("exp", json!(NOW - 30))), "`exp` that is over"),
        (
            "an end that is a text",
            signed(&but("exp", json!("2099"))),
            "cannot be read",
        ),
        (
            "an end beyond all times",
            signed(&but("exp", json!(1e300))),
            "cannot be read",
        ),
        (
            "too long-lived",
            signed(&but("exp", json!(NOW + 3_631))),
            "more than 60 minutes away",
        ),
        (
            "made long ago for long",
            signed(
                &json!({"sub": "anna", "business": 1, "aud": AUDIENCE, "iat": NOW - 3_600, "exp": NOW + 60}),
            ),
            "more than 60 minutes away",
        ),
        ("not yet", signed(&but("nbf", json!(NOW + 31))), "`nbf`"),
        ("from the future", signed(&but("iat", json!(NOW + 31))), "`iat`"),
        ("of nobody", signed(&without("sub")), "`sub`"),
        ("of an empty name", signed(&but("sub", json!(""))), "`sub`"),
        ("of no business", signed(&without("business")), "`business`"),
        (
            "of a business that is no id",
            signed(&but("business", json!(0))),
            "`business`",
        ),
        (
            "of a business that is not there",
            signed(&but("business", json!(99))),
            "`business`",
        ),
        ("of no order", signed(&but("orderId", json!(-1))), "`orderId`"),
        ("of no return", signed(&but("returnId", json!(0))), "`returnId`"),
    ];
    for (what, token, why) in table {
        for (method, path) in [
            (Method::GET, "/me"),
            (Method::GET, "/chats"),
            (Method::GET, "/events"),
            (Method::POST, "/chats"),
        ] {
            let request = market.request(method, &format!("/buyer/v1{path}"));
            let answer = Answer::to(request.bearer_auth(&token));
            let message = answer.fails(401, "UNAUTHORIZED");
            assert!(message.contains(why), "{what}: {message}");
            let challenge = answer.header("www-authenticate");
            assert!(challenge.contains("invalid_token"), "{what}: {challenge}");
            assert!(!message.contains(SECRET), "{message}");
        }
    }
}

#[test]
fn without_a_token_or_with_one_elsewhere_nothing_opens() {
    let market = Market::open();
    let answer = Answer::to(market.request(Method::GET, "/buyer/v1/chats"));
    answer.fails(401, "UNAUTHORIZED");
    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"buyer\"");
    let good = token(1, "anna");
    let in_address = format!("/buyer/v1/events?token={good}");
    Answer::to(market.request(Method::GET, &in_address)).fails(401, "UNAUTHORIZED");
    let basic = market.request(Method::GET, "/buyer/v1/chats");
    Answer::to(basic.header("Authorization", format!("Basic {good}"))).fails(401, "UNAUTHORIZED");
}

#[test]
fn a_token_ends_by_the_clock_of_the_server() {
    let market = Market::open();
    let token = token(1, "anna");
    market.clock.advance(629_999);
    market.get(&token, "/me").is(200);
    market.clock.advance(1);
    market.get(&token, "/me").fails(401, "UNAUTHORIZED");
}

#[test]
fn a_token_that_names_no_key_is_taken_where_there_is_only_one() {
    let market = Market::with_settings(&format!("[buyer.keys.only]\nhs256 = \"{SECRET}\""));
    let token = hs256(&json!({"alg": "HS256"}), &claims(1, "anna"), SECRET);
    market.get(&token, "/me").is(200);
}

#[test]
fn without_keys_the_api_says_which_setting_is_missing() {
    let market = Market::with_settings("");
    let message = market
        .get(&token(1, "anna"), "/chats")
        .fails(501, "NOT_CONFIGURED");
    assert!(message.contains("buyer.keys"), "{message}");
}

#[test]
fn to_try_out_the_server_signs_with_a_key_of_its_own() {
    let market = Market::with_settings("[buyer]\ntry_out = true");
    let own = market.block_on(async {
        let secret = market.store().server_secret().await.expect("a secret");
        let (business, customer) = (
            1.try_into().expect("an id"),
            prilavok_domain::PublicId::new("anna"),
        );
        let customer = customer.expect("an id");
        let settings = &market.app.settings.buyer;
        let now = market.app.now();
        prilavok_server::buyer::token::sign(settings, &secret, business, &customer, now, 10)
    });
    let own = own.expect("a token").token;
    assert_eq!(market.get(&own, "/me").is(200)["customerId"], "anna");
    Market::open().get(&own, "/me").fails(401, "UNAUTHORIZED");
    Market::with_settings("[buyer]\ntry_out = true")
        .get(&own, "/me")
        .fails(401, "UNAUTHORIZED");
}

#[test]
fn a_business_that_is_closed_or_moved_has_no_chats_for_now() {
    let market = Market::open();
    let token = token(1, "anna");
    market.turn(BusinessState::Disabled);
    market.get(&token, "/chats").fails(403, "BUSINESS_DISABLED");
    market.turn(BusinessState::Migrating);
    market.get(&token, "/chats").fails(423, "BUSINESS_MIGRATING");
    market.turn(BusinessState::Active);
    market.get(&token, "/chats").is(200);
}
