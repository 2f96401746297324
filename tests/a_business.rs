//! A business of a marketplace, with chats to write into, for tests that start servers of their own.

use reqwest::blocking::Client;
use serde_json::{Value, json};

/// What makes a key that writes into its chats, as a command.
pub(crate) const CREATE_KEY: [&str; 8] = [
    "keys",
    "create",
    "--business",
    "1",
    "--name",
    "writers",
    "--scope",
    "communication",
];

/// Registers business 1 and so many orders, and starts a chat about each; answers the chats.
pub(crate) fn with_chats(address: &str, operator: &str, chats: usize) -> Vec<i64> {
    let business = format!("{address}/operator/v1/businesses/1");
    let put = |url: &str, body: &Value| {
        let answer = Client::new().put(url).bearer_auth(operator).json(body).send();
        let answer = answer.expect("an answer");
        assert!(
            answer.status().is_success(),
            "{url}: {}",
            answer.text().expect("text")
        );
    };
    put(&business, &json!({"name": "Shop"}));
    let campaign = json!({"domain": "shop.example", "placement": "FBS"});
    put(&format!("{business}/campaigns/1"), &campaign);
    let customer = format!("{address}/operator/v1/customers/anna");
    put(&customer, &json!({"name": "Анна"}));
    let start = |order| {
        let of_anna = json!({"campaignId": 1, "customerId": "anna"});
        put(&format!("{business}/orders/{order}"), &of_anna);
        let context = json!({"context": {"type": "ORDER", "id": order}});
        let asked = Client::new()
            .post(format!("{business}/chats"))
            .bearer_auth(operator)
            .json(&context);
        let started: Value = asked.send().expect("an answer").json().expect("JSON");
        started["chatId"].as_i64().expect("an id")
    };
    (1..=chats).map(start).collect()
}
