//! Nothing acknowledged is lost and nothing committed goes untold: real servers, killed with SIGKILL in the
//! middle of their work.

#[path = "../a_business.rs"]
mod a_business;
mod backup;
mod bucket;
mod damage;
mod disk;
mod erasure;
mod messages;
mod notifications;
mod receivers;
mod search;
mod server;
mod writers;

use std::str::FromStr;

/// What the environment asks for, or what is usual.
fn asked<T: FromStr>(name: &str, usual: T) -> T {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}
