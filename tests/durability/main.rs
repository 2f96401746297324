//! Nothing acknowledged is lost and nothing committed goes untold: real servers, killed with SIGKILL in the
//! middle of their work.

mod messages;
mod notifications;
mod receivers;
mod server;
