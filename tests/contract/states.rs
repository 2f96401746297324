//! Businesses and campaigns that are switched off or being moved.

use reqwest::Method;

use crate::counter::{Answer, Counter};

fn call(counter: &Counter, method: Method, path: &str, key: &str) -> Answer {
    Answer::of(counter.anonymous(method, path).header("Api-Key", key))
}

#[test]
fn a_business_that_is_moved_answers_nothing() {
    let counter = Counter::open();
    for (method, path) in [
        (Method::GET, "/v2/businesses/4/chat?chatId=1"),
        (Method::POST, "/v2/businesses/4/chats"),
        (Method::POST, "/v2/auth/token"),
        (Method::GET, "/v2/campaigns"),
        (Method::GET, "/v2/campaigns/1"),
    ] {
        call(&counter, method, path, &counter.keys.migrating).refused(423, "Business is in migration");
    }
    let others = call(
        &counter,
        Method::GET,
        "/v2/businesses/1/chat?chatId=1",
        &counter.keys.migrating,
    );
    others.refused(403, "Access denied");
}

#[test]
fn a_business_that_is_switched_off_has_no_chats() {
    let counter = Counter::open();
    for (business, key) in [(3, &counter.keys.disabled), (5, &counter.keys.without_campaigns)] {
        let message = format!("API for business '{business}' disabled because it has only disabled partners");
        let chat = call(
            &counter,
            Method::GET,
            &format!("/v2/businesses/{business}/chat"),
            key,
        );
        chat.refused(403, &message);
        let chats = call(
            &counter,
            Method::POST,
            &format!("/v2/businesses/{business}/chats"),
            key,
        );
        chats.refused(403, &message);
        call(&counter, Method::GET, "/v2/campaigns", key).succeeded();
        call(&counter, Method::POST, "/v2/auth/token", key).succeeded();
    }
    let message = "API for campaign '5' manually disabled";
    call(
        &counter,
        Method::GET,
        "/v2/campaigns/5",
        &counter.keys.without_campaigns,
    )
    .refused(403, message);
}

#[test]
fn the_state_counts_before_the_scope() {
    let counter = Counter::open();
    let answer = call(&counter, Method::GET, "/v2/campaigns/3", &counter.keys.pricing);
    answer.refused(403, "API for campaign '3' manually disabled");
}
