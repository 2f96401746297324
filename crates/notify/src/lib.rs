//! Notifications: what is sent where, when it is tried again, and how it is signed.
//!
//! Events come from the store, written there in the transaction of what caused them. The [`Notifier`] has a
//! lane for each enabled subscription, which delivers them in order through the [`Sender`]. Nothing here
//! decides what an event is, and nothing is forgotten before the store has settled it.

pub mod alarm;
pub mod client;
pub mod connector;
pub mod enrolment;
pub mod fault;
pub mod guard;
mod lane;
pub mod notifier;
pub mod observer;
pub mod schedule;
pub mod scheduled;
pub mod sender;
pub mod signature;
pub mod target;

pub use client::WebhookClient;
pub use connector::{Resolve, SystemResolver};
pub use enrolment::{Enrolment, InvalidOverlap, NotEnrolled, Overlap, PingFailed};
pub use fault::{DeliveryFault, DeliveryFaults, NoFaults};
pub use guard::{Forbidden, Guard, Network};
pub use notifier::{Notifier, Outlook};
pub use observer::Observer;
pub use schedule::{Next, Schedule, Stage};
pub use scheduled::{Done, Plan, Ran, Scheduled};
pub use sender::{Patience, Sender};
pub use signature::SigningSecrets;
pub use target::{InvalidTarget, Target};
