//! Lists of chats: keyset pages, one statement each, whose cost does not grow with the store.
//!
//! Each statement finds places first, in an index that is in the list's order, and reads the chats of one page afterwards.
//! Without a filter a page is one range of `chat_by_update`. A filter by type, status or kind of context is at most 36 ranges
//! of `chat_by_kind`, each no longer than a page. A filter by orders or contexts reads the few chats of each.

use prilavok_domain::{BusinessId, Chat, ChatStatus, ChatType, ContextType};

use super::db::{Source, Value};
use super::rows::{self, chat_columns};
use super::statements::statements;
use crate::{ChatCursor, ChatFilter, Page, Result};

/// The chats at the places that a statement finds, in the order of the list.
macro_rules! at_places {
    ($places:literal) => {
        concat!(
            "WITH place AS MATERIALIZED (",
            $places,
            " ORDER BY updated_at DESC, chat_id DESC LIMIT $4) SELECT ",
            chat_columns!(),
            " FROM place JOIN chat c ON c.business_id = $1 AND c.chat_id = place.chat_id \
             JOIN customer u USING (customer_id) ORDER BY place.updated_at DESC, place.chat_id DESC"
        )
    };
}

statements! {
    NEWEST = at_places!("SELECT updated_at, chat_id FROM chat \
        WHERE business_id = $1 AND (updated_at, chat_id) < ($2, $3)");
    OF_KINDS = at_places!("SELECT p.updated_at, p.chat_id \
        FROM unnest($5::text[], $6::text[], $7::text[]) AS k (type, status, context_type) \
        CROSS JOIN LATERAL (SELECT l.updated_at, l.chat_id FROM chat l WHERE l.business_id = $1 AND l.type = k.type \
            AND l.status = k.status AND l.context_type = k.context_type AND (l.updated_at, l.chat_id) < ($2, $3) \
            ORDER BY l.updated_at DESC, l.chat_id DESC LIMIT $4) p");
    OF_ORDERS = at_places!("SELECT updated_at, chat_id FROM chat \
        WHERE business_id = $1 AND order_id = ANY ($8) AND (updated_at, chat_id) < ($2, $3) \
            AND (cardinality($5::text[]) = 0 OR type = ANY ($5)) \
            AND (cardinality($6::text[]) = 0 OR status = ANY ($6)) \
            AND (cardinality($7::text[]) = 0 OR context_type = ANY ($7))");
    OF_CONTEXTS = at_places!("SELECT DISTINCT l.updated_at, l.chat_id \
        FROM unnest($9::text[], $10::bigint[]) AS w (context_type, context_id) \
        JOIN chat l ON l.business_id = $1 AND l.context_type = w.context_type AND l.context_id = w.context_id \
        WHERE (l.updated_at, l.chat_id) < ($2, $3) \
            AND (cardinality($5::text[]) = 0 OR l.type = ANY ($5)) \
            AND (cardinality($6::text[]) = 0 OR l.status = ANY ($6)) \
            AND (cardinality($7::text[]) = 0 OR l.context_type = ANY ($7)) \
            AND (cardinality($8::bigint[]) = 0 OR l.order_id = ANY ($8))");
}

pub(super) async fn page(
    source: &impl Source,
    business: BusinessId,
    filter: &ChatFilter,
    after: Option<ChatCursor>,
    limit: usize,
) -> Result<Page<Chat>> {
    let (updated_at, id) = after.map_or((i64::MAX, i64::MAX), |cursor| {
        (cursor.updated_at.as_millis(), cursor.id.get())
    });
    let (tenant, wanted) = (business.get(), rows::count(limit + 1));
    let chats = if *filter == ChatFilter::default() {
        source
            .all(NEWEST, &[&tenant, &updated_at, &id, &wanted], rows::chat)
            .await?
    } else if filter.by_subject() {
        let types: Vec<_> = filter.types.iter().map(|it| it.as_str()).collect();
        let statuses: Vec<_> = filter.statuses.iter().map(|it| it.as_str()).collect();
        let kinds: Vec<_> = filter.context_types.iter().map(|it| it.as_str()).collect();
        let contexts: Vec<_> = filter.contexts.iter().map(|(kind, _)| kind.as_str()).collect();
        let ids: Vec<_> = filter.contexts.iter().map(|(_, id)| *id).collect();
        let values: &[Value<'_>] = &[
            &tenant,
            &updated_at,
            &id,
            &wanted,
            &types,
            &statuses,
            &kinds,
            &filter.orders,
            &contexts,
            &ids,
        ];
        if filter.contexts.is_empty() {
            source.all(OF_ORDERS, &values[..8], rows::chat).await?
        } else {
            source.all(OF_CONTEXTS, values, rows::chat).await?
        }
    } else {
        let kinds = filter.kinds();
        let types: Vec<_> = kinds.iter().map(|it| ChatType::as_str(it.0)).collect();
        let statuses: Vec<_> = kinds.iter().map(|it| ChatStatus::as_str(it.1)).collect();
        let contexts: Vec<_> = kinds.iter().map(|it| ContextType::as_str(it.2)).collect();
        let values: &[Value<'_>] = &[&tenant, &updated_at, &id, &wanted, &types, &statuses, &contexts];
        source.all(OF_KINDS, values, rows::chat).await?
    };
    Ok(Page::of(chats, limit))
}
