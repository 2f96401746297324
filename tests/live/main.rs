//! Live events, over real HTTP from the real binary: what arrives and when, who sees what, what is resumed, who is cut
//! off, and what many streams cost.

mod access;
mod arrival;
mod listener;
mod market;
mod memory;
mod resume;
mod slow;
