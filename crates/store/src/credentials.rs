//! Keys and tokens as they are kept: by the hash of their secret.

use std::collections::BTreeSet;

use prilavok_domain::{
    BusinessId, CampaignId, CredentialId, CredentialKind, CredentialName, ScopeSet, Timestamp,
};

/// SHA-256 of a secret. The secrets are random, so they need no salt and no slow hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash(pub [u8; 32]);

/// A key or token of a business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The business that it belongs to.
    pub business: BusinessId,
    /// Its id.
    pub id: CredentialId,
    /// How it is presented.
    pub kind: CredentialKind,
    /// Its name.
    pub name: CredentialName,
    /// What it may be used for.
    pub scopes: ScopeSet,
    /// The campaigns that an OAuth token's user may see, in order of id; empty: all of them.
    pub campaigns: Vec<CampaignId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; keys do not end by themselves.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A key or token to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredential {
    /// The business that it belongs to.
    pub business: BusinessId,
    /// How it is presented.
    pub kind: CredentialKind,
    /// Its name.
    pub name: CredentialName,
    /// What it may be used for.
    pub scopes: ScopeSet,
    /// The campaigns that an OAuth token's user may see; empty: all of them. Each must exist.
    pub campaigns: Vec<CampaignId>,
    /// The hash of its secret.
    pub hash: SecretHash,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// What to change of a key or token; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CredentialChange {
    /// The new name.
    pub name: Option<CredentialName>,
    /// The new scopes.
    pub scopes: Option<ScopeSet>,
    /// The new campaigns.
    pub campaigns: Option<Vec<CampaignId>>,
}

/// A token of the marketplace's backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorToken {
    /// Its id.
    pub id: CredentialId,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Scopes as they are kept.
pub(crate) fn scopes_text(scopes: ScopeSet) -> String {
    let names: Vec<_> = scopes.iter().map(prilavok_domain::Scope::as_str).collect();
    names.join(" ")
}

/// The scopes that [`scopes_text`] kept.
pub(crate) fn read_scopes(
    text: &str,
) -> Result<ScopeSet, <prilavok_domain::Scope as std::str::FromStr>::Err> {
    text.split_terminator(' ').map(str::parse).collect()
}

/// A set is kept, in order of id, however it was given.
pub(crate) fn campaigns_text(campaigns: &[CampaignId]) -> String {
    let ordered: BTreeSet<_> = campaigns.iter().collect();
    let ids: Vec<_> = ordered.iter().map(ToString::to_string).collect();
    ids.join(" ")
}

/// The campaigns that [`campaigns_text`] kept.
pub(crate) fn read_campaigns(text: &str) -> Result<Vec<CampaignId>, prilavok_domain::id::OutOfRange> {
    let ids = text.split_terminator(' ');
    ids.map(|id| CampaignId::new(id.parse().unwrap_or_default()))
        .collect::<Result<_, _>>()
}
