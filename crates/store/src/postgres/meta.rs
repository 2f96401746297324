//! What the store knows about itself: versions, the server's secret, what was forgotten, the proof that writes work.

use deadpool_postgres::GenericClient;

use super::rows;
use super::statements::statements;
use crate::{Result, StoreError};

statements! {
    RAISE = "UPDATE meta SET number = number + 1 WHERE name = $1 RETURNING number";
    VERSIONS = "SELECT name, number FROM meta WHERE name IN ('access_version', 'subscriptions_version', 'scarce_version')";
    /// The first node to ask makes it.
    KEEP_SECRET = "INSERT INTO meta (name, bytes) VALUES ('secret', $1) ON CONFLICT (name) DO NOTHING";
    SECRET = "SELECT bytes FROM meta WHERE name = 'secret'";
    FORGOTTEN = "INSERT INTO meta (name, number) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET number = greatest(meta.number, excluded.number)";
    PROVE = "INSERT INTO meta (name, number) VALUES ('proof', 1)
        ON CONFLICT (name) DO UPDATE SET number = meta.number + 1 RETURNING number";
    PROOF = "SELECT number FROM meta WHERE name = 'proof'";
    FORGET_IDEMPOTENCY = "DELETE FROM idempotency WHERE created_at <= $1";
}

/// What caches of all nodes are made anew for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Businesses, campaigns, credentials and operator tokens.
    Access,
    /// Subscriptions.
    Subscriptions,
}

impl Version {
    const fn name(self) -> &'static str {
        match self {
            Self::Access => "access_version",
            Self::Subscriptions => "subscriptions_version",
        }
    }
}

/// Notes a change in the transaction that makes it; answers the version that every node is to hear of afterwards.
///
/// All who change anything of this kind wait for each other here, so it comes last in a transaction.
pub(super) async fn raise(conn: &impl GenericClient, version: Version) -> Result<u64> {
    let row = rows::query_one(conn, RAISE, &[&version.name()]).await?;
    rows::unsigned(&row, 0, "number")
}

/// How often something changed that nodes tell each other of.
#[derive(Debug, Default)]
pub(super) struct Versions {
    pub(super) access: u64,
    pub(super) subscriptions: u64,
    /// How often a node told that limits are scarce.
    pub(super) scarce: u64,
}

/// All versions.
pub(super) async fn versions(conn: &impl GenericClient) -> Result<Versions> {
    let mut versions = Versions::default();
    for row in rows::query(conn, VERSIONS, &[]).await? {
        let name: &str = rows::get(&row, 0)?;
        let number = rows::unsigned(&row, 1, "number")?;
        if name == Version::Access.name() {
            versions.access = number;
        } else if name == Version::Subscriptions.name() {
            versions.subscriptions = number;
        } else {
            versions.scarce = number;
        }
    }
    Ok(versions)
}

/// The server's own secret, made on first use by whichever node is first.
pub(super) async fn secret(conn: &impl GenericClient) -> Result<[u8; 32]> {
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    rows::execute(conn, KEEP_SECRET, &[&fresh.as_slice()]).await?;
    let row = rows::query_one(conn, SECRET, &[]).await?;
    rows::bytes(&row, 0, "secret")
}

/// Notes that no event up to this one can be told any more for certain.
pub(super) async fn forgotten_event(conn: &impl GenericClient, event: i64) -> Result<()> {
    rows::execute(conn, FORGOTTEN, &[&"forgotten_event", &event])
        .await
        .map(drop)
}

/// Notes that what was taken away from chats up to this place cannot be told any more.
pub(super) async fn forgotten_taken(conn: &impl GenericClient, place: i64) -> Result<()> {
    rows::execute(conn, FORGOTTEN, &[&"forgotten_taken", &place])
        .await
        .map(drop)
}

/// Writes something and reads it again: whether the disk takes it is the question.
pub(super) async fn prove(conn: &impl GenericClient) -> Result<()> {
    let written: i64 = rows::get(&rows::query_one(conn, PROVE, &[]).await?, 0)?;
    let read: i64 = rows::get(&rows::query_one(conn, PROOF, &[]).await?, 0)?;
    if read < written {
        let why = "a read does not see what was written before it";
        return Err(StoreError::Unavailable(why.to_owned()));
    }
    Ok(())
}

/// Forgets idempotency keys made at `until` or before.
pub(super) async fn forget_idempotency(conn: &impl GenericClient, until: i64) -> Result<u64> {
    rows::execute(conn, FORGET_IDEMPOTENCY, &[&until]).await
}
