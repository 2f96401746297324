//! The surfaces of Prilavok over HTTP, and what is around them.

pub mod access;
pub mod file_links;
pub mod limits;
pub mod secrets;
