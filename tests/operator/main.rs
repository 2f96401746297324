//! The Operator API over real HTTP: what a marketplace's backend may rely on.

#[path = "../answer.rs"]
mod answer;
mod bulk;
mod chats;
mod credentials;
mod deliveries;
mod desk;
mod disputes;
mod document;
mod errors;
mod files;
mod messages;
mod pages;
mod personal_data;
mod pings;
#[path = "../receiver.rs"]
mod receiver;
mod registry;
mod requests;
mod retries;
mod subscriptions;
#[path = "../test_store.rs"]
mod test_store;
