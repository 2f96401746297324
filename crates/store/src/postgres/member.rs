//! This process as one of the nodes that serve a store: what it has to do again and again to be one.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use prilavok_domain::IdSequence;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_postgres::{AsyncMessage, Client};

use super::connection_of;
use super::leases::Leases;
use super::listen::News;
use super::nodes::{LeaseTimes, Node};
use super::work::Committed;
use crate::{Result, StoreError};

/// How often the tables are looked at for what nobody told of.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long it takes to try again to listen, at first and at the most.
const LISTEN_AGAIN: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(2)];

/// A connection to listen on: it lives as long as its messages are asked for.
pub(super) struct Listening {
    pub(super) client: Client,
    pub(super) messages: BoxStream<'static, std::result::Result<AsyncMessage, tokio_postgres::Error>>,
}

/// Opens a connection to listen on.
pub(super) type Listen = Box<dyn Fn() -> BoxFuture<'static, Result<Listening>> + Send + Sync>;

/// How much longer than its own limit the database may be silent.
const SILENCE: Duration = Duration::from_secs(2);

/// What is asked on a connection, or an error if nothing is answered. A connection that is silent is closed: its server has stopped, and
/// another may have taken over.
macro_rules! answer {
    ($member:expr, $conn:ident, $asked:expr) => {
        match $member.answered($asked).await {
            Some(answer) => answer,
            None => $crate::postgres::member::given_away($conn),
        }
    };
}
pub(super) use answer;

/// Closes a connection on which nothing is answered.
pub(super) fn given_away<T>(conn: Object) -> Result<T> {
    drop(Object::take(conn));
    Err(StoreError::Unavailable("PostgreSQL does not answer".to_owned()))
}

/// A node, what it holds and what it knows.
pub(super) struct Member {
    pub(super) node: Node,
    pub(super) leases: Leases,
    pub(super) news: News,
    pool: Pool,
    patience: Duration,
}

impl Member {
    /// Takes a number, and its share of the subscriptions.
    pub(super) async fn join(
        pool: Pool,
        times: LeaseTimes,
        ids: IdSequence,
        statement: Duration,
    ) -> Result<Arc<Self>> {
        let conn = connection_of(&pool).await?;
        let node = Node::join(&conn, times, ids).await?;
        let member = Self {
            news: News::new(node.instance()),
            leases: Leases::default(),
            node,
            pool,
            patience: 2 * statement + SILENCE,
        };
        member.news.look(&conn).await?;
        member.leases.share(&conn, &member.node).await?;
        member.leases.count_changes_from_here();
        Ok(Arc::new(member))
    }

    /// Does from now on what a node has to do. The tasks end when they are aborted.
    pub(super) fn start(self: &Arc<Self>, listen: Listen) -> Vec<JoinHandle<()>> {
        let [renewing, looking, counting, telling, listening] = [(); 5].map(|()| Arc::clone(self));
        self.news.joined();
        vec![
            tokio::spawn(async move {
                let every = renewing.node.times().renew_every;
                repeatedly(every, "a node's leases could not be renewed", || renewing.renew()).await;
            }),
            tokio::spawn(async move {
                let complaint = "what other nodes did could not be looked at";
                repeatedly(LOOK_EVERY, complaint, || looking.look()).await;
            }),
            tokio::spawn(async move {
                loop {
                    counting.news.another_joined().await;
                    // It is counted with the next renewal otherwise.
                    if let Err(error) = counting.count().await {
                        tracing::debug!(%error, "a node that joined was not counted yet");
                    }
                }
            }),
            tokio::spawn(async move {
                loop {
                    telling.news.gathered().await;
                    // What is not told is found by the others when they look.
                    if let Err(error) = telling.tell().await {
                        tracing::debug!(%error, "other nodes could not be told of commits");
                    }
                }
            }),
            tokio::spawn(async move { listening.listen(listen).await }),
        ]
    }

    /// Waits for what is asked of the database, of which each statement has a limit that the database keeps itself; `None` if it
    /// is silent for much longer.
    pub(super) async fn answered<T>(&self, asked: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.patience, asked).await.ok()
    }

    /// Those here are told of a commit at once, other nodes soon.
    pub(super) fn committed(&self, committed: &Committed) {
        for (version, number) in &committed.versions {
            self.news.raised(*version, *number);
        }
        self.news.committed(&committed.events);
    }

    async fn renew(&self) -> Result<()> {
        let conn = connection_of(&self.pool).await?;
        let renewal = async {
            self.node.beat(&conn).await?;
            self.leases.share(&conn, &self.node).await
        };
        answer!(self, conn, renewal)
    }

    async fn look(&self) -> Result<()> {
        let conn = connection_of(&self.pool).await?;
        answer!(self, conn, self.news.look(&conn))
    }

    async fn count(&self) -> Result<()> {
        let conn = connection_of(&self.pool).await?;
        answer!(self, conn, self.node.count(&conn))
    }

    async fn tell(&self) -> Result<()> {
        let conn = connection_of(&self.pool).await?;
        answer!(self, conn, self.news.tell(&conn))
    }

    /// Listens, on a new connection whenever one breaks. What was missed meanwhile is looked for at once.
    async fn listen(&self, listen: Listen) {
        let [first, longest] = LISTEN_AGAIN;
        let mut pause = first;
        loop {
            let ended = match listen().await {
                Ok(listening) => {
                    let heard = self.news.listen(listening, || {
                        pause = first;
                        self.look()
                    });
                    heard.await
                }
                Err(error) => error,
            };
            tracing::debug!(error = %ended, "the connection to other nodes' news broke");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Leaves to the other nodes what this one held.
    pub(super) async fn leave(&self) -> Result<()> {
        let conn = connection_of(&self.pool).await?;
        let leaving = async {
            self.leases.release(&conn, &self.node).await?;
            self.node.leave(&conn).await
        };
        answer!(self, conn, leaving)
    }
}

/// Does something again and again; a failure is logged, and no more than that.
async fn repeatedly<F: Future<Output = Result<()>>>(every: Duration, complaint: &str, work: impl Fn() -> F) {
    let mut ticks = tokio::time::interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = work().await {
            tracing::warn!(%error, "{complaint}");
        }
    }
}
