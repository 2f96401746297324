//! Many nodes over one PostgreSQL, behind a real load balancer, with things going wrong: nodes are killed, the database is,
//! a standby takes over, a node is cut off, the pool is full. What was acknowledged is there, and what readers see of a
//! chat, through whichever node, is one growing sequence.

#[path = "../a_business.rs"]
mod a_business;
mod balancer;
mod consistency;
mod faults;
mod fleet;
mod history;
mod limits;
mod node;
mod pages;
mod relay;
mod upgrade;
