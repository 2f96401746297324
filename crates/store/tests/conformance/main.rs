//! What every store must do, said through the [`prilavok_store::Store`] interface alone.
//!
//! One file for each subject. A case is run on every implementation that `places` knows, so a new
//! one is held to all of this by one more entry there.

mod access_version;
mod chat_lists;
mod chats;
mod clock;
mod concurrency;
mod counter;
mod credentials;
mod deliveries;
mod delivery_log;
mod desk;
mod erasure;
mod events;
mod file_contents;
mod file_places;
mod files;
mod filters;
mod idempotency;
mod messages;
mod model;
mod of_customer;
mod overdue;
mod persistence;
mod places;
mod population;
mod registry;
mod retention;
mod search;
mod sessions;
mod subscriptions;
mod upkeep;
mod usage;
