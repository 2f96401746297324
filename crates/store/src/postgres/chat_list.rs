//! Lists of chats: keyset pages whose cost does not grow with the store, each one statement.
//!
//! Without a filter a page is one range of `chat_by_update`. A filter by type, status or kind of context is at most 36
//! ranges of `chat_by_kind`, each read no further than a page. A filter by orders or contexts reads the few chats of
//! each, whatever else is asked of them.

use deadpool_postgres::GenericClient;
use prilavok_domain::{BusinessId, Chat};

use super::chats::{self, chat};
use super::rows;
use super::statements::statements;
use crate::{ChatCursor, ChatFilter, Page, Result};

/// What else a filter asks of the chats `c` of the orders or contexts that it names.
macro_rules! passes {
    () => {
        " AND (c.updated_at, c.chat_id) < ($2, $3)
          AND (cardinality($4::text[]) = 0 OR c.type = ANY ($4))
          AND (cardinality($5::text[]) = 0 OR c.status = ANY ($5))
          AND (cardinality($6::text[]) = 0 OR c.context_type = ANY ($6))
          ORDER BY c.updated_at DESC, c.chat_id DESC LIMIT $7"
    };
}

statements! {
    NEWEST = concat!("SELECT ", chat!(), " FROM chat c JOIN customer u ON u.customer_id = c.customer_id
        WHERE c.business_id = $1 AND (c.updated_at, c.chat_id) < ($2, $3)
        ORDER BY c.updated_at DESC, c.chat_id DESC LIMIT $4");
    OF_KINDS = concat!("SELECT ", chat!(), " FROM (
            SELECT one.* FROM unnest($4::text[], $5::text[], $6::text[]) AS kind (type, status, context_type)
            CROSS JOIN LATERAL (
                SELECT * FROM chat l WHERE l.business_id = $1 AND l.type = kind.type AND l.status = kind.status
                    AND l.context_type = kind.context_type AND (l.updated_at, l.chat_id) < ($2, $3)
                ORDER BY l.updated_at DESC, l.chat_id DESC LIMIT $7) one
            ORDER BY one.updated_at DESC, one.chat_id DESC LIMIT $7) c
        JOIN customer u ON u.customer_id = c.customer_id ORDER BY c.updated_at DESC, c.chat_id DESC");
    OF_ORDERS = concat!("SELECT ", chat!(), " FROM chat c JOIN customer u ON u.customer_id = c.customer_id
        WHERE c.business_id = $1 AND c.order_id = ANY ($8::bigint[])", passes!());
    OF_CONTEXTS = concat!("SELECT ", chat!(), " FROM chat c JOIN customer u ON u.customer_id = c.customer_id
        WHERE c.business_id = $1 AND (c.context_type, c.context_id) IN (SELECT * FROM unnest($9::text[], $10::bigint[]))
            AND (cardinality($8::bigint[]) = 0 OR c.order_id = ANY ($8))", passes!());
}

/// Chats of a business that pass the filter, newest first.
pub(super) async fn page(
    conn: &impl GenericClient,
    business: BusinessId,
    filter: &ChatFilter,
    after: Option<ChatCursor>,
    limit: usize,
) -> Result<Page<Chat>> {
    let business = business.get();
    let before = after.map_or((i64::MAX, i64::MAX), |cursor| {
        (cursor.updated_at.as_millis(), cursor.id.get())
    });
    let wanted = rows::limit(limit + 1);
    let types: Vec<_> = filter.types.iter().map(|it| it.as_str()).collect();
    let statuses: Vec<_> = filter.statuses.iter().map(|it| it.as_str()).collect();
    let contexts: Vec<_> = filter.context_types.iter().map(|it| it.as_str()).collect();
    let found = if *filter == ChatFilter::default() {
        rows::query(conn, NEWEST, &[&business, &before.0, &before.1, &wanted]).await?
    } else if !filter.contexts.is_empty() {
        let (kinds, ids): (Vec<_>, Vec<_>) = filter
            .contexts
            .iter()
            .map(|(kind, id)| (kind.as_str(), *id))
            .unzip();
        let values: &rows::Values<'_> = &[
            &business,
            &before.0,
            &before.1,
            &types,
            &statuses,
            &contexts,
            &wanted,
            &filter.orders,
            &kinds,
            &ids,
        ];
        rows::query(conn, OF_CONTEXTS, values).await?
    } else if !filter.orders.is_empty() {
        let values: &rows::Values<'_> = &[
            &business,
            &before.0,
            &before.1,
            &types,
            &statuses,
            &contexts,
            &wanted,
            &filter.orders,
        ];
        rows::query(conn, OF_ORDERS, values).await?
    } else {
        let kinds = crate::chats::kinds(filter);
        let types: Vec<_> = kinds.iter().map(|(kind, _, _)| kind.as_str()).collect();
        let statuses: Vec<_> = kinds.iter().map(|(_, status, _)| status.as_str()).collect();
        let contexts: Vec<_> = kinds.iter().map(|(_, _, context)| context.as_str()).collect();
        let values: &rows::Values<'_> = &[
            &business, &before.0, &before.1, &types, &statuses, &contexts, &wanted,
        ];
        rows::query(conn, OF_KINDS, values).await?
    };
    chats::page(&found, limit)
}
