//! The binary as people and machines meet it: its commands, its settings, its logs, how it starts and how
//! it stops.

mod binary;
mod buyer_token;
mod certificates;
mod chat;
mod chat_watch;
mod commands;
mod demo;
mod docs;
mod keys;
mod log;
mod logs;
mod measures;
mod notifications;
mod settings;
mod starting;
mod stopping;
mod tls;
mod upkeep;
