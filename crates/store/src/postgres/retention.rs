//! Finished chats and files whose time is over: found first, taken away in bounded transactions.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::{GenericClient, Transaction};
use prilavok_domain::{BusinessId, ChatId, ChatStatus, Timestamp};

use super::statements::statements;
use super::work::Work;
use super::{events, overdue, rows, taken};
use crate::personal_data::{FILES_AT_ONCE, OLD_CHATS, ROWS_AT_ONCE, WaitedFor};
use crate::{ChatFilter, Result, Taken};

statements! {
    /// A range of `chat_by_kind` for each kind, each read no further than so many chats.
    OLD = "SELECT one.chat_id FROM unnest($2::text[], $3::text[], $4::text[]) AS kind (type, status, context_type)
        CROSS JOIN LATERAL (
            SELECT l.chat_id FROM chat l WHERE l.business_id = $1 AND l.type = kind.type AND l.status = kind.status
                AND l.context_type = kind.context_type AND l.updated_at < $5
            ORDER BY l.updated_at LIMIT $6) one";
    /// Events have no index by chat, which each message would pay for: all of the business's are looked through.
    EVENTS = "SELECT event_id, chat_id, message_id FROM event
        WHERE business_id = $1 AND event_id > $3 AND chat_id = ANY ($2::bigint[])";
    /// Locked, so that nothing is asked for again meanwhile.
    SETTLED = "SELECT settled_event_id, disabled IS NULL FROM subscription WHERE business_id = $1
        ORDER BY subscription_id FOR SHARE";
    AGAIN = "SELECT event_id FROM again WHERE business_id = $1";
    /// Somebody may have written meanwhile. One that somebody has in hand at this moment is left for later.
    LOCK = "SELECT chat_id, last_message_id FROM chat WHERE business_id = $1 AND chat_id = ANY ($2::bigint[])
        AND status = 'FINISHED' AND updated_at < $3 ORDER BY chat_id FOR UPDATE SKIP LOCKED";
    FIRST_MESSAGES = "SELECT chat_id, message_id FROM message WHERE business_id = $1 AND chat_id = ANY ($2::bigint[])
        ORDER BY chat_id, message_id LIMIT $3";
    DELETE_EVENTS = "DELETE FROM event WHERE business_id = $1 AND event_id = ANY ($2::bigint[])";
    DELETE_FILES = "DELETE FROM message_file WHERE business_id = $1
        AND (chat_id, message_id) IN (SELECT * FROM unnest($2::bigint[], $3::bigint[]))
        RETURNING CASE WHEN removed_at IS NULL THEN object END";
    DELETE_MESSAGES = "DELETE FROM message WHERE business_id = $1
        AND (chat_id, message_id) IN (SELECT * FROM unnest($2::bigint[], $3::bigint[]))";
    DELETE_SEEN = "DELETE FROM seen WHERE business_id = $1 AND chat_id = ANY ($2::bigint[])";
    DELETE_VERDICTS = "DELETE FROM verdict WHERE business_id = $1 AND chat_id = ANY ($2::bigint[])";
    DELETE_CHATS = "DELETE FROM chat WHERE business_id = $1 AND chat_id = ANY ($2::bigint[])";
    FORGET_FILES = "WITH kept AS MATERIALIZED
            (SELECT file_id, chat_id, message_id FROM message_file WHERE business_id = $1 AND removed_at IS NULL
             ORDER BY file_id LIMIT $4),
        old AS
            (SELECT k.file_id FROM kept k JOIN message m ON m.business_id = $1 AND m.chat_id = k.chat_id
                 AND m.message_id = k.message_id
             WHERE m.created_at < $2)
        UPDATE message_file SET removed_at = $3
        WHERE business_id = $1 AND file_id IN (SELECT file_id FROM old) AND removed_at IS NULL RETURNING object";
}

/// Finished chats of a business whose last message is older than `before`, some of them.
pub(super) async fn old_chats(
    conn: &impl GenericClient,
    business: BusinessId,
    before: Timestamp,
) -> Result<Vec<ChatId>> {
    let finished = ChatFilter {
        statuses: vec![ChatStatus::Finished],
        ..ChatFilter::default()
    };
    let kinds = crate::chats::kinds(&finished);
    let types: Vec<_> = kinds.iter().map(|(kind, _, _)| kind.as_str()).collect();
    let statuses: Vec<_> = kinds.iter().map(|(_, status, _)| status.as_str()).collect();
    let contexts: Vec<_> = kinds.iter().map(|(_, _, context)| context.as_str()).collect();
    let values: &rows::Values<'_> = &[
        &business.get(),
        &types,
        &statuses,
        &contexts,
        &before.as_millis(),
        &rows::limit(OLD_CHATS),
    ];
    overdue::ids(&rows::query(conn, OLD, values).await?)
}

/// The events of some chats that are kept still.
#[derive(Debug, Default)]
pub(super) struct EventsOf {
    /// By chat, each with its message.
    by_chat: HashMap<i64, Vec<(i64, Option<i64>)>>,
    /// None before this one is missing.
    up_to: i64,
}

impl EventsOf {
    /// Reads those that are new since it was read last. What happens between the two statements is found again then.
    pub(super) async fn read(
        &mut self,
        tx: &Transaction<'_>,
        business: BusinessId,
        chats: &[ChatId],
    ) -> Result<()> {
        let newest = events::newest(tx, Some(business)).await?;
        let values: &rows::Values<'_> = &[&business.get(), &numbers(chats), &self.up_to];
        for row in rows::query(tx, EVENTS, values).await? {
            let of_chat = self.by_chat.entry(rows::get(&row, 1)?).or_default();
            of_chat.push((rows::get(&row, 0)?, rows::get(&row, 2)?));
        }
        self.up_to = newest;
        Ok(())
    }

    fn of(&self, chat: i64) -> &[(i64, Option<i64>)] {
        self.by_chat.get(&chat).map_or(&[], Vec::as_slice)
    }
}

fn numbers(chats: &[ChatId]) -> Vec<i64> {
    chats.iter().map(|chat| chat.get()).collect()
}

async fn waited_for(tx: &Transaction<'_>, business: BusinessId) -> Result<WaitedFor> {
    let mut settled: Option<i64> = None;
    for row in rows::query(tx, SETTLED, &[&business.get()]).await? {
        if rows::get(&row, 1)? {
            let up_to = rows::get(&row, 0)?;
            settled = Some(settled.map_or(up_to, |least| least.min(up_to)));
        }
    }
    let again = rows::query(tx, AGAIN, &[&business.get()]).await?;
    let again = again.iter().map(|row| rows::get(row, 0));
    Ok(WaitedFor::new(settled, again.collect::<Result<_>>()?))
}

/// Removes chats with all that they have, as far as one step goes. One whose events are waited for is left for later.
pub(super) async fn forget_chats(
    work: &Work<'_>,
    business: BusinessId,
    old: &[ChatId],
    of_chats: &mut EventsOf,
    before: Timestamp,
    now: Timestamp,
) -> Result<Taken> {
    let tx = &work.tx;
    let waited_for = waited_for(tx, business).await?;
    let values: &rows::Values<'_> = &[&business.get(), &numbers(old), &before.as_millis()];
    let locked = rows::query(tx, LOCK, values).await?;
    of_chats.read(tx, business, old).await?;
    let mut chats: Vec<(i64, Option<i64>)> = Vec::new();
    for row in &locked {
        let chat = rows::get(row, 0)?;
        if !of_chats.of(chat).iter().any(|(event, _)| waited_for.has(*event)) {
            chats.push((chat, rows::get(row, 1)?));
        }
    }
    let mut step = Taken {
        more: !chats.is_empty(),
        ..Taken::default()
    };
    let messages = first_messages(tx, business, &chats).await?;
    if let Some(last) = messages.last().filter(|_| messages.len() == ROWS_AT_ONCE) {
        // What is behind the last of them is for the next step, which goes on.
        chats.retain(|(chat, newest)| *chat < last.0 || (*chat == last.0 && *newest == Some(last.1)));
    }
    remove_messages(tx, business, &messages, of_chats, &mut step.objects).await?;
    let whole: Vec<_> = chats.iter().map(|(chat, _)| *chat).collect();
    remove_rest(tx, business, &whole, of_chats).await?;
    step.count = whole.len() as u64;
    let gone = whole.iter().filter_map(|chat| ChatId::new(*chat).ok());
    let gone: Vec<_> = gone.map(|chat| (business, chat)).collect();
    taken::note(work, &gone, now).await?;
    Ok(step)
}

/// The first messages of these chats, as many as one step removes: each by its chat and itself, in order.
async fn first_messages(
    tx: &Transaction<'_>,
    business: BusinessId,
    chats: &[(i64, Option<i64>)],
) -> Result<Vec<(i64, i64)>> {
    let chats: Vec<_> = chats.iter().map(|(chat, _)| *chat).collect();
    let values: &rows::Values<'_> = &[&business.get(), &chats, &rows::limit(ROWS_AT_ONCE)];
    let found = rows::query(tx, FIRST_MESSAGES, values).await?;
    let messages = found
        .iter()
        .map(|row| Ok((rows::get(row, 0)?, rows::get(row, 1)?)));
    messages.collect()
}

/// Removes messages with their files and events.
async fn remove_messages(
    tx: &Transaction<'_>,
    business: BusinessId,
    messages: &[(i64, i64)],
    events: &EventsOf,
    objects: &mut Vec<String>,
) -> Result<()> {
    let gone: HashSet<_> = messages.iter().copied().collect();
    let chats: HashSet<_> = messages.iter().map(|(chat, _)| *chat).collect();
    let of_messages = chats.iter().flat_map(|chat| {
        let is_gone = |message: &Option<i64>| message.is_some_and(|message| gone.contains(&(*chat, message)));
        let of_chat = events.of(*chat).iter();
        of_chat
            .filter(move |(_, message)| is_gone(message))
            .map(|(event, _)| *event)
    });
    let of_messages: Vec<_> = of_messages.collect();
    rows::execute(tx, DELETE_EVENTS, &[&business.get(), &of_messages]).await?;
    let (chats, messages): (Vec<_>, Vec<_>) = messages.iter().copied().unzip();
    let values: &rows::Values<'_> = &[&business.get(), &chats, &messages];
    for row in rows::query(tx, DELETE_FILES, values).await? {
        objects.extend(rows::get::<Option<String>>(&row, 0)?);
    }
    rows::execute(tx, DELETE_MESSAGES, values).await.map(drop)
}

/// Removes chats that have no messages left.
async fn remove_rest(
    tx: &Transaction<'_>,
    business: BusinessId,
    chats: &[i64],
    events: &EventsOf,
) -> Result<()> {
    let left: Vec<_> = chats
        .iter()
        .flat_map(|chat| events.of(*chat))
        .map(|(event, _)| *event)
        .collect();
    rows::execute(tx, DELETE_EVENTS, &[&business.get(), &left]).await?;
    for delete in [DELETE_SEEN, DELETE_VERDICTS, DELETE_CHATS] {
        rows::execute(tx, delete, &[&business.get(), &chats]).await?;
    }
    Ok(())
}

/// Forgets where the bytes of files are that came before `before`, some of them.
pub(super) async fn forget_files(
    conn: &impl GenericClient,
    business: BusinessId,
    before: Timestamp,
    now: Timestamp,
) -> Result<Taken> {
    let values: &rows::Values<'_> = &[
        &business.get(),
        &before.as_millis(),
        &now.as_millis(),
        &rows::limit(FILES_AT_ONCE),
    ];
    let forgotten = rows::query(conn, FORGET_FILES, values).await?;
    let objects = forgotten.iter().map(|row| rows::get(row, 0));
    let objects = objects.collect::<Result<Vec<String>>>()?;
    Ok(Taken {
        count: objects.len() as u64,
        more: !objects.is_empty(),
        objects,
    })
}
