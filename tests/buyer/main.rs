//! The Buyer API over real HTTP: what a shop's page may rely on, and what it must never see.

#[path = "../answer.rs"]
mod answer;
#[path = "../chromium.rs"]
#[expect(dead_code, reason = "the counter's tests use the rest")]
mod browser;
mod chats;
mod cors;
mod document;
mod events;
mod files;
mod isolation;
mod limits;
mod market;
mod messages;
#[path = "../test_store.rs"]
mod test_store;
mod tokens;
mod widget;
mod widget_readers;
