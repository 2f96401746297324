//! The sandbox: a whole marketplace for the tests of one who writes a connector. Buyers answer, disputes are opened
//! on demand, time is moved by hand and faults happen on purpose. What it serves is the server itself; only what is
//! around it is of this crate.

pub mod advance;
mod api;
pub mod clock;
pub mod duration;
pub mod faults;
pub mod sandbox;
pub mod scenario;
pub mod snapshot;
mod temporary;
mod world;

pub use clock::{SandboxClock, Speed};
pub use sandbox::Sandbox;
pub use scenario::Scenario;
