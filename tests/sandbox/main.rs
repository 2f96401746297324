//! `prilavok sandbox` as those who test a connector meet it.

mod businesses;
mod clock;
mod command;
mod faults;
mod market;
#[path = "../receiver.rs"]
#[expect(dead_code, reason = "other suites look at more of what came")]
mod receiver;
mod states;
