//! Many nodes over one PostgreSQL, behind a real load balancer, with things going wrong: nodes are killed, the database is,
//! a standby takes over, a node is cut off, the pool is full. What was acknowledged is there, and what readers see of a
//! chat, through whichever node, is one growing sequence.

mod balancer;
mod consistency;
mod faults;
mod fleet;
mod history;
mod moving;
mod node;
mod relay;
