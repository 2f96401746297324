//! Erasing a customer: the name at once, the texts and files of their chats in bounded transactions. How far it has come is
//! in the store, so that whichever node goes on, goes on from there.

use deadpool_postgres::GenericClient;
use prilavok_domain::{Customer, FileName, MessageText, Name, PublicId, Timestamp};
use tokio_postgres::Row;

use super::registry::{self, must_exist};
use super::statements::statements;
use super::work::Work;
use super::{all_of_customer, rows, taken};
use crate::personal_data::{CHATS_AT_ONCE, ERASED_AT_ONCE, Progress};
use crate::{Entity, Erasure, Result, Taken};

/// The columns of [`read`].
macro_rules! progress {
    () => {
        "customer_id, asked_at, finished_at, chats, chats_done, business_id, chat_id, message_id"
    };
}

statements! {
    ONE = concat!("SELECT ", progress!(), " FROM erasure WHERE customer_id = $1");
    /// Whoever else would take the step waits until this has ended, and finds it taken.
    LOCK = concat!("SELECT ", progress!(), " FROM erasure WHERE customer_id = $1 FOR UPDATE");
    UNDER_WAY = "SELECT customer_id FROM erasure WHERE finished_at IS NULL ORDER BY asked_at, customer_id LIMIT $1";
    KEEP = concat!("INSERT INTO erasure (", progress!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (customer_id) DO UPDATE SET asked_at = excluded.asked_at, finished_at = excluded.finished_at,
            chats = excluded.chats, chats_done = excluded.chats_done, business_id = excluded.business_id,
            chat_id = excluded.chat_id, message_id = excluded.message_id");
    /// Whoever is just writing into the chat has either written, or looks again whether they may.
    BEGIN_CHAT = "UPDATE chat SET erasures = erasures + 1 WHERE business_id = $1 AND chat_id = $2";
    MESSAGES = "SELECT message_id, files FROM message WHERE business_id = $1 AND chat_id = $2 AND message_id > $3
        ORDER BY message_id LIMIT $4";
    ERASE_TEXTS = "UPDATE message SET text = $5 WHERE business_id = $1 AND chat_id = $2
        AND message_id > $3 AND message_id <= $4 AND text IS NOT NULL";
    OBJECTS = "SELECT object FROM message_file WHERE business_id = $1 AND chat_id = $2
        AND message_id > $3 AND message_id <= $4 AND removed_at IS NULL";
    ERASE_FILES = "UPDATE message_file SET name = $5, removed_at = coalesce(removed_at, $6)
        WHERE business_id = $1 AND chat_id = $2 AND message_id > $3 AND message_id <= $4";
    ERASE_VERDICT = "UPDATE verdict SET text = $3 WHERE business_id = $1 AND chat_id = $2";
}

fn read(row: &Row) -> Result<Progress> {
    Ok(Progress {
        erasure: Erasure {
            customer: rows::checked(row, 0, "customer_id", PublicId::new)?,
            asked_at: rows::time(row, 1, "asked_at")?,
            finished_at: rows::optional(row, 2, "finished_at", Timestamp::from_millis)?,
            chats: rows::unsigned(row, 3, "chats")?,
            chats_done: rows::unsigned(row, 4, "chats_done")?,
        },
        business: rows::get(row, 5)?,
        chat: rows::get(row, 6)?,
        message: rows::get(row, 7)?,
    })
}

pub(super) async fn one(conn: &impl GenericClient, customer: &PublicId) -> Result<Option<Erasure>> {
    let found = rows::query_opt(conn, ONE, &[&customer.as_str()]).await?;
    Ok(found.as_ref().map(read).transpose()?.map(|it| it.erasure))
}

pub(super) async fn is_under_way(conn: &impl GenericClient, customer: &PublicId) -> Result<bool> {
    let erasure = one(conn, customer).await?;
    Ok(erasure.is_some_and(|erasure| erasure.finished_at.is_none()))
}

/// Those under way, the one that was asked for first.
pub(super) async fn under_way(conn: &impl GenericClient, limit: usize) -> Result<Vec<PublicId>> {
    let found = rows::query(conn, UNDER_WAY, &[&rows::limit(limit)]).await?;
    let customers = found
        .iter()
        .map(|row| rows::checked(row, 0, "customer_id", PublicId::new));
    customers.collect()
}

/// Begins an erasure, unless the customer is erased; `chats` is how many chats there were a moment ago.
pub(super) async fn begin(
    work: &Work<'_>,
    customer: &PublicId,
    chats: u64,
    now: Timestamp,
) -> Result<Erasure> {
    let tx = &work.tx;
    registry::lock_names(tx).await?;
    let there = must_exist(registry::customer(tx, customer).await?, || {
        Entity::Customer(customer.clone())
    })?;
    if there.erased_at.is_some()
        && let Some(erasure) = one(tx, customer).await?
    {
        return Ok(erasure);
    }
    let erased = Customer {
        public_id: customer.clone(),
        name: Name::erased(),
        erased_at: Some(now),
    };
    registry::rename(tx, &erased).await?;
    let begun = Progress::begun(customer.clone(), chats, now);
    keep(tx, &begun).await?;
    Ok(begun.erasure)
}

/// Takes a step of an erasure that is under way.
pub(super) async fn step(work: &Work<'_>, customer: &PublicId, now: Timestamp) -> Result<Taken> {
    let tx = &work.tx;
    let mut step = Taken::default();
    let found = rows::query_opt(tx, LOCK, &[&customer.as_str()]).await?;
    let found = found.as_ref().map(read).transpose()?;
    let Some(mut at) = found.filter(|it| it.erasure.finished_at.is_none()) else {
        return Ok(step);
    };
    let chats = all_of_customer::chat_ids(tx, customer, at.behind(), CHATS_AT_ONCE).await?;
    let mut room = ERASED_AT_ONCE;
    let mut looked_at = Vec::new();
    for (business, chat) in &chats {
        let here = (business.get(), chat.get());
        let behind = at.enter(*business, *chat);
        rows::execute(tx, BEGIN_CHAT, &[&here.0, &here.1]).await?;
        let (seen, last) = erase_messages(tx, here, behind, room, now, &mut step.objects).await?;
        looked_at.push((*business, *chat));
        room -= seen;
        if room == 0 {
            at.stay_at(last);
            break;
        }
        let erased = MessageText::erased();
        rows::execute(tx, ERASE_VERDICT, &[&here.0, &here.1, &erased.as_str()]).await?;
        at.leave();
        step.count += 1;
    }
    step.more = !chats.is_empty();
    if chats.is_empty() {
        at.finish(now);
    }
    keep(tx, &at).await?;
    // A connector's call shows the chats' texts until now: what it recorded is to be looked for from here on.
    taken::note(work, &looked_at, now).await?;
    Ok(step)
}

/// Erases messages of a chat behind `behind`, at most `room`; answers how many were looked at, and the last one.
async fn erase_messages(
    conn: &impl GenericClient,
    (business, chat): (i64, i64),
    behind: i64,
    room: usize,
    now: Timestamp,
    objects: &mut Vec<String>,
) -> Result<(usize, i64)> {
    let values: &rows::Values<'_> = &[&business, &chat, &behind, &rows::limit(room)];
    let messages = rows::query(conn, MESSAGES, values).await?;
    let Some(last) = messages.last() else {
        return Ok((0, behind));
    };
    let last: i64 = rows::get(last, 0)?;
    let text = MessageText::erased();
    let values: &rows::Values<'_> = &[&business, &chat, &behind, &last, &text.as_str()];
    rows::execute(conn, ERASE_TEXTS, values).await?;
    let mut has_files = false;
    for message in &messages {
        has_files |= rows::get::<i32>(message, 1)? > 0;
    }
    if has_files {
        let named = rows::query(conn, OBJECTS, &[&business, &chat, &behind, &last]).await?;
        for row in &named {
            objects.push(rows::get(row, 0)?);
        }
        let name = FileName::erased();
        let values: &rows::Values<'_> = &[&business, &chat, &behind, &last, &name.as_str(), &now.as_millis()];
        rows::execute(conn, ERASE_FILES, values).await?;
    }
    Ok((messages.len(), last))
}

async fn keep(conn: &impl GenericClient, progress: &Progress) -> Result<()> {
    let erasure = &progress.erasure;
    let count = |chats: u64| i64::try_from(chats).unwrap_or(i64::MAX);
    let values: &rows::Values<'_> = &[
        &erasure.customer.as_str(),
        &erasure.asked_at.as_millis(),
        &erasure.finished_at.map(Timestamp::as_millis),
        &count(erasure.chats),
        &count(erasure.chats_done),
        &progress.business,
        &progress.chat,
        &progress.message,
    ];
    rows::execute(conn, KEEP, values).await.map(drop)
}
