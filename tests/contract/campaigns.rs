//! getCampaigns and getCampaign.

use reqwest::Method;
use reqwest::header::AUTHORIZATION;

use crate::counter::{Answer, Counter};

fn ids(answer: &Answer) -> Vec<i64> {
    let campaigns = &answer.json()["campaigns"];
    campaigns
        .as_array()
        .expect("a list")
        .iter()
        .map(|campaign| campaign["id"].as_i64().expect("an id"))
        .collect()
}

#[test]
fn a_campaign() {
    let counter = Counter::open();
    insta::assert_snapshot!(counter.get("/v2/campaigns/1").snapshot());
    for id in ["4", "999", "9223372036854775807"] {
        counter
            .get(&format!("/v2/campaigns/{id}"))
            .refused(404, &format!("Campaign not found '{id}'"));
    }
    counter
        .get("/v2/campaigns/3")
        .refused(403, "API for campaign '3' manually disabled");
}

#[test]
fn numbered_pages() {
    let counter = Counter::open();
    insta::assert_snapshot!(counter.get("/v2/campaigns").snapshot());
    insta::assert_snapshot!(counter.get("/v2/campaigns?page=2&pageSize=2").snapshot());
    insta::assert_snapshot!(
        counter
            .get("/v2/campaigns?page=10000&pageSize=2147483647")
            .snapshot()
    );
}

#[test]
fn pages_by_token() {
    let counter = Counter::open();
    let first = counter.get("/v2/campaigns?limit=2&page=7&pageSize=1").succeeded();
    assert_eq!(ids(&first), [1, 2]);
    let body = first.json();
    let token = body["paging"]["nextPageToken"].as_str().expect("a token");
    assert!(body.get("pager").is_none());
    for name in ["pageToken", "page_token"] {
        let last = counter.get(&format!("/v2/campaigns?{name}={token}")).succeeded();
        assert_eq!(ids(&last), [3]);
        assert_eq!(last.json()["paging"], serde_json::json!({}));
    }
    let others = counter.anonymous(Method::GET, &format!("/v2/campaigns?pageToken={token}"));
    Answer::of(others.header("Api-Key", &counter.keys.other)).refused(400, "Bad page token");
}

#[test]
fn an_oauth_token_sees_the_campaigns_that_it_names() {
    let counter = Counter::open();
    let get = |token: &str, path: &str| {
        Answer::of(
            counter
                .anonymous(Method::GET, path)
                .header(AUTHORIZATION, format!("Bearer {token}")),
        )
    };
    assert_eq!(ids(&get(&counter.keys.oauth, "/v2/campaigns")), [1, 2, 3]);
    assert_eq!(ids(&get(&counter.keys.oauth_one_campaign, "/v2/campaigns")), [2]);
    get(&counter.keys.oauth_one_campaign, "/v2/campaigns/2").succeeded();
    get(&counter.keys.oauth_one_campaign, "/v2/campaigns/1").refused(404, "Campaign not found '1'");
}
