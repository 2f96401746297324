//! Notifications from a committed event to a receiver's answer, and scheduled work: a real store, a real
//! receiver, a clock that the test moves.

mod arrival;
mod faults;
mod giving_up;
mod guard;
mod order;
mod receiver;
mod restart;
mod scheduled;
mod shop;
mod switching;
mod tls;
