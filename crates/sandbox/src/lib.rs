//! The sandbox: a whole marketplace for the tests of one who writes a connector. Buyers answer, disputes are opened
//! on demand, time is moved by hand and faults happen on purpose. What it serves is the server itself; only what is
//! around it is of this crate.

pub mod scenario;
