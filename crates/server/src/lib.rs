//! The surfaces of Prilavok over HTTP, and what is around them.

pub mod access;
pub mod app;
pub mod demo;
pub mod docs;
pub mod file_links;
pub mod form_file_name;
mod head_refusal;
pub mod health;
pub mod http;
pub mod limits;
pub mod live;
pub mod metrics;
pub mod operator;
mod overload;
pub mod partner;
pub mod public_url;
pub mod recording;
pub mod request_id;
pub mod request_log;
pub mod router;
pub mod secrets;
pub mod settings;
mod socket;
mod uploads;
pub mod web;
