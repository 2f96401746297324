//! `prilavok sandbox` as those who test a connector meet it.

mod businesses;
mod clock;
mod command;
mod faults;
mod market;
#[path = "../receiver.rs"]
mod receiver;
mod states;
