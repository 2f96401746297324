//! A partner's system: reads its chats over the Partner API and answers by a script.

use std::collections::HashSet;

use prilavok_sandbox::scenario::Cast;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::shop::Shop;

/// What is answered to a message of this sender in a chat of this type; nothing, if it is not to be answered.
pub(crate) type Script = fn(kind: &str, sender: &str, text: &str) -> Option<&'static str>;

pub(crate) struct Partner {
    client: Client,
    base: String,
    key: String,
    script: Script,
    seen: HashSet<i64>,
    /// How often it sends each answer.
    pub(crate) times: usize,
}

impl Partner {
    pub(crate) fn of(shop: &Shop, cast: &Cast, script: Script) -> Self {
        Self {
            client: Client::new(),
            base: format!("{}/v2/businesses/{}", shop.address, cast.business),
            key: cast.api_key.clone(),
            script,
            seen: HashSet::new(),
            times: 1,
        }
    }

    /// Starts the chat of an order and writes into it.
    pub(crate) async fn start(&self, order: i64, text: &str) {
        let body = json!({"context": {"type": "ORDER", "id": order}});
        let started = self.call("/chats/new", &body).await;
        self.send(&started["result"]["chatId"], text).await;
    }

    /// Reads the chats that wait for it or for the arbiter, and answers what is new; answers whether anything was.
    pub(crate) async fn look(&mut self) -> bool {
        let filter = json!({"statuses": ["WAITING_FOR_PARTNER", "WAITING_FOR_ARBITER"]});
        let listed = self.call("/chats?limit=20", &filter).await;
        let mut answered = false;
        for chat in listed["result"]["chats"].as_array().expect("chats") {
            let id = &chat["chatId"];
            let history = self
                .call(&format!("/chats/history?chatId={id}"), &json!({}))
                .await;
            let messages = history["result"]["messages"].as_array().expect("messages");
            let Some(last) = messages.last() else { continue };
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let sender = text(&last["sender"]);
            if sender == "PARTNER" || !self.seen.insert(last["messageId"].as_i64().expect("an id")) {
                continue;
            }
            if let Some(answer) = (self.script)(&text(&chat["type"]), &sender, &text(&last["message"])) {
                for _ in 0..self.times {
                    self.send(id, answer).await;
                }
                answered = true;
            }
        }
        answered
    }

    async fn send(&self, chat: &Value, text: &str) {
        let body = json!({"message": text});
        self.call(&format!("/chats/message?chatId={chat}"), &body).await;
    }

    async fn call(&self, path: &str, body: &Value) -> Value {
        let request = self.client.request(Method::POST, format!("{}{path}", self.base));
        let answer = request.header("Api-Key", &self.key).json(body).send().await;
        let answer: Value = answer.expect("an answer").json().await.expect("JSON");
        assert_eq!(answer["status"], "OK", "{path}: {answer}");
        answer
    }
}
