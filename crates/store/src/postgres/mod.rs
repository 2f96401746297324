//! The store for many nodes: a PostgreSQL database that all of them read and write.
//!
//! [`store`] only says which of the modules beside it answers which operation, and whether that is a read or a write. A write is
//! one transaction ([`transaction`]), a read one statement on a connection from the pool ([`db`]). Nothing of a chat is kept in
//! memory, since other nodes write.

mod attempts;
mod chat_list;
mod chats;
mod check;
mod counter;
mod credentials;
mod db;
mod deliveries;
mod disputes;
mod events;
mod fault;
mod followed;
mod idempotency;
mod listen;
mod messages;
mod meta;
mod nodes;
mod of_customer;
mod open;
mod overdue;
mod registry;
mod rows;
mod statements;
mod store;
mod subscriptions;
mod transaction;
mod upkeep;
mod usage;

use std::sync::Arc;

use db::Db;
use listen::News;
use nodes::Node;
use open::Server;
pub use open::{PgOpenError, PgOptions};

/// A store in a PostgreSQL database.
pub struct PgStore {
    db: Arc<Db>,
}

impl PgStore {
    /// Opens the database and brings its schema up to date.
    pub async fn open(options: &PgOptions) -> Result<Self, PgOpenError> {
        let server = Server::new(&options.url, options, true)?;
        open::migrate(&mut server.connect().await?).await?;
        let replica = match &options.replica_url {
            Some(url) => Some(Server::new(url, options, false)?.pool(options)?),
            None => None,
        };
        let db = Db::new(
            server.pool(options)?,
            replica,
            options.statement_limit,
            Node::new(0),
            News::new(),
        );
        Ok(Self { db: Arc::new(db) })
    }

    /// Lets writes under way end, and closes.
    async fn close_all(&self) {
        self.db.close();
    }
}

/// An operation that is not written yet.
fn not_yet<T>() -> crate::Result<T> {
    Err(crate::StoreError::Failed("not written yet".into()))
}
