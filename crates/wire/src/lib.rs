//! The Partner API as types: the table of operations, what requests and answers look like, and every
//! error that an answer can carry.
//!
//! Field names and error texts of the Partner API are written here and nowhere else. The crate does
//! no I/O; it knows the domain, not the store and not the server.

mod body;
mod error_values;
mod failure;

pub mod answer;
pub mod error;
pub mod live;
pub mod names;
pub mod notification;
pub mod openapi;
pub mod operation;
pub mod page_token;
pub mod parameter;
pub mod query;
pub mod request;
pub mod rule;
pub mod time;

pub use error::ApiError;
pub use failure::{Errors, Failure};
pub use notification::Notification;
pub use operation::Operation;
pub use time::UtcOffset;
