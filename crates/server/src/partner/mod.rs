//! The Partner API over HTTP: the surface that sellers' systems call.
//!
//! A request goes through [`route`] (which operation), [`admission`] (may this caller do that now) and
//! the operation's own handler; [`service`] is the sequence. What requests and answers look like is in
//! `prilavok-wire`.

mod admission;
mod answer;
mod auth;
mod body;
mod call;
mod campaigns;
mod chats;
mod download;
mod events;
mod files;
mod headers;
mod messages;
mod refusal;
mod route;
mod service;
mod token;

pub(crate) use download::content;
pub use download::download;
pub use service::{Injected, called, partner};
pub(crate) use service::{drain, panicked, refuse, turn_away};
