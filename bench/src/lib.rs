//! The measurement of Prilavok against the machine's limit.

pub mod seed;
