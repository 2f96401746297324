//! What a column holds that is more than a number or a name: the same text in every database.

use std::collections::BTreeSet;

use prilavok_domain::{Attachment, CampaignId, EventTypes, FileId, Scope, ScopeSet};

use crate::StoredFile;

/// A row holds what no version of Prilavok writes.
#[derive(Debug, thiserror::Error)]
#[error("the column {column} holds {found}")]
pub(crate) struct BadColumn {
    pub(crate) column: &'static str,
    pub(crate) found: String,
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(" ")
}

pub(crate) fn scopes_text(scopes: ScopeSet) -> String {
    joined(scopes.iter().map(Scope::as_str))
}

pub(crate) fn scopes(text: &str) -> Option<ScopeSet> {
    text.split_terminator(' ')
        .map(|scope| scope.parse().ok())
        .collect()
}

/// A set is kept, in order of id, however it was given.
pub(crate) fn campaigns_text(campaigns: &[CampaignId]) -> String {
    let ordered: BTreeSet<_> = campaigns.iter().collect();
    ordered
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

pub(crate) fn campaigns(text: &str) -> Option<Vec<CampaignId>> {
    let ids = text.split_terminator(' ');
    ids.map(|id| CampaignId::new(id.parse().ok()?).ok()).collect()
}

pub(crate) fn types_text(types: EventTypes) -> String {
    joined(types.iter().map(prilavok_domain::rules::NotificationType::as_str))
}

/// Types that a newer version added are passed over.
pub(crate) fn types(text: &str) -> EventTypes {
    text.split_terminator(' ')
        .filter_map(|kind| kind.parse().ok())
        .collect()
}

/// A file as the message shows it that carries it.
pub(crate) fn attachment(id: FileId, file: &StoredFile) -> Attachment {
    Attachment {
        id,
        name: file.name.clone(),
        size: file.size,
        media_type: file.media_type.clone(),
    }
}
