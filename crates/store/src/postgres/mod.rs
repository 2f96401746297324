//! The store in PostgreSQL, for many nodes side by side.
//!
//! [`PgStore`] only says which of the modules beside it answers which operation, and whether that is a read, one statement
//! that writes, or a transaction. What nodes tell each other is in `listen`, what makes a process a node in `member` and
//! `nodes`, and `open` knows how a database is reached and brought up to date.

mod all_of_customer;
mod attempts;
mod chat_list;
mod chats;
mod check;
mod counter;
mod credentials;
mod deliveries;
mod disputes;
mod erasure;
mod events;
mod fault;
mod followed;
mod idempotency;
mod leases;
mod listen;
mod member;
mod messages;
mod meta;
mod nodes;
mod of_customer;
mod open;
mod overdue;
mod registry;
mod retention;
mod rows;
mod sessions;
mod statements;
mod store;
mod subscriptions;
mod taken;
#[cfg(test)]
mod tests;
mod usage;
mod work;

use std::sync::Arc;
use std::time::Instant;

use deadpool_postgres::{Object, Pool, PoolError, TimeoutType};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use crate::observer::Observed;
use crate::{Result, StoreError};
use member::Member;
pub use nodes::LeaseTimes;
pub(crate) use open::{END_MOVE, begin_move, connect_to_move, move_begun};
pub use open::{OpenError, PgOptions};
use work::Committed;

/// A store in a PostgreSQL database, of which this process is one node.
pub struct PgStore {
    pool: Pool,
    replica: Option<Pool>,
    member: Arc<Member>,
    /// What a node does again and again; empty once the store is closed.
    tasks: Mutex<Vec<JoinHandle<()>>>,
    observed: Observed,
}

impl PgStore {
    /// Opens the database, makes its tables or brings them up to date, and joins the nodes that serve it.
    pub async fn open(options: PgOptions) -> std::result::Result<Self, OpenError> {
        let mut client = options.connect().await?;
        open::migrate(&mut client).await?;
        open::must_not_be_moving(&client).await?;
        drop(client);
        let pool = options.pool()?;
        let replica = options.replica()?;
        let listen = options.listen();
        let member = Member::join(pool.clone(), options.leases, options.ids, options.statement).await?;
        let tasks = member.start(listen);
        Ok(Self {
            pool,
            replica,
            member,
            tasks: Mutex::new(tasks),
            observed: Observed::default(),
        })
    }

    /// A connection to the database that is written to.
    async fn connection(&self) -> Result<Object> {
        connection_of(&self.pool).await
    }

    /// A connection for what may be read a little later: to the replica, where there is one that answers.
    async fn later(&self) -> Result<Object> {
        match &self.replica {
            Some(replica) => match connection_of(replica).await {
                Ok(connection) => Ok(connection),
                Err(_) => self.connection().await,
            },
            None => self.connection().await,
        }
    }

    /// A connection for a write, if this node may write.
    async fn writing(&self) -> Result<Object> {
        self.member.node.may_write()?;
        self.connection().await
    }

    /// Tells of what was committed, and how long it took.
    fn committed(&self, committed: &Committed, started: Instant) {
        self.observed.commit_took(started.elapsed());
        self.member.committed(committed);
    }
}

/// A store that is dropped and was not closed is as a node that died: what it holds is free for the others when its leases
/// end.
impl Drop for PgStore {
    fn drop(&mut self) {
        for task in self.tasks.get_mut().drain(..) {
            task.abort();
        }
    }
}

async fn connection_of(pool: &Pool) -> Result<Object> {
    pool.get().await.map_err(|error| match error {
        // All are in use, and stay so for longer than anybody should wait.
        PoolError::Timeout(TimeoutType::Wait) => StoreError::Busy,
        PoolError::Closed => StoreError::Unavailable("the store is closed".to_owned()),
        PoolError::Backend(error) => error.into(),
        other => StoreError::Unavailable(other.to_string()),
    })
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Postgres(error) => error.into(),
            OpenError::Node(error) => error,
            other => Self::Failed(Box::new(other)),
        }
    }
}
