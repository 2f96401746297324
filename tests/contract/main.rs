//! The Partner API over real HTTP, against a real store: every operation, every status and every message
//! that the contract names.

mod addresses;
mod bodies;
mod broken_heads;
mod campaigns;
mod chats;
mod counter;
mod credentials;
mod downloads;
mod failures;
mod files;
mod http2;
mod limits;
mod malformed;
mod messages;
mod overload;
mod population;
mod recording;
mod states;
mod tenants;
#[path = "../test_store.rs"]
mod test_store;
