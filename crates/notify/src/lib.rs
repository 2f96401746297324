//! Notifications: what is sent where, when it is tried again, and how it is signed.

pub mod guard;
pub mod schedule;

pub use guard::{Forbidden, Guard, Network};
pub use schedule::{Next, Schedule, Stage};
