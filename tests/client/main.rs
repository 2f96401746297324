//! The client crate against real servers, and what it does when something between fails.

mod between;
mod events;
mod limits;
mod operations;
mod retries;
mod webhooks;

include!("sandbox.rs");

/// Longer than anything here takes on a busy machine.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

fn id<T: std::str::FromStr<Err = prilavok_client::InvalidId>>(number: i64) -> T {
    number.to_string().parse().expect("an id")
}

/// The texts of a chat's messages.
async fn texts(shop: &prilavok_client::Business, chat: i64) -> Vec<String> {
    use futures_util::TryStreamExt;
    let messages: Vec<_> = shop
        .history(id(chat), None)
        .try_collect()
        .await
        .expect("messages");
    messages.into_iter().filter_map(|message| message.text).collect()
}
