//! The store in PostgreSQL.
#![allow(dead_code)]

mod attempts;
mod check;
mod deliveries;
mod events;
mod fault;
mod leases;
mod listen;
mod meta;
mod nodes;
mod overdue;
mod rows;
mod statements;
mod subscriptions;
#[cfg(test)]
mod tests;
mod usage;
