//! Credentials and business states from memory: what every request asks for.
//!
//! Entries are filled from the store when they are first asked for and dropped as soon as
//! [`Store::access_version`] moves, which a background task watches (see [`AccessCache::watch`]),
//! so that a key revoked by another process stops working within [`WATCH_INTERVAL`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prilavok_domain::{Business, BusinessId, Campaign, CampaignState, CredentialKind};
use prilavok_store::{Credential, OperatorToken, SecretHash, Store, StoreError};
use quick_cache::sync::Cache;

/// How often a running server looks whether another process changed keys, states or tokens.
pub const WATCH_INTERVAL: Duration = Duration::from_millis(25);

const CACHED_CREDENTIALS: usize = 50_000;
const CACHED_BUSINESSES: usize = 50_000;
const CACHED_OPERATOR_TOKENS: usize = 1_000;
/// Campaigns are read in pages of this size.
const CAMPAIGNS_PAGE: usize = 1_000;

/// A business with its campaigns, as far as access goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessAccess {
    /// The business.
    pub business: Business,
    /// All its campaigns, by id.
    pub campaigns: Vec<Campaign>,
    /// Every call asks for it: known without a look at the campaigns, which lie elsewhere in memory.
    only_disabled: bool,
}

impl BusinessAccess {
    fn new(business: Business, campaigns: Vec<Campaign>) -> Self {
        let is_disabled = |campaign: &Campaign| campaign.state != CampaignState::Available;
        Self {
            only_disabled: !campaigns.is_empty() && campaigns.iter().all(is_disabled),
            business,
            campaigns,
        }
    }

    /// Whether it has campaigns and none of them is available.
    #[must_use]
    pub const fn has_only_disabled_campaigns(&self) -> bool {
        self.only_disabled
    }
}

/// An entry and the access version that it was read at; worth nothing once that has moved.
#[derive(Clone)]
struct Stamped<T> {
    version: u64,
    value: Arc<T>,
}

/// Credentials and business states from memory.
pub struct AccessCache {
    store: Arc<dyn Store>,
    version: AtomicU64,
    credentials: Cache<(CredentialKind, SecretHash), Stamped<Credential>>,
    operator_tokens: Cache<SecretHash, Stamped<OperatorToken>>,
    businesses: Cache<BusinessId, Stamped<BusinessAccess>>,
}

impl AccessCache {
    /// An empty cache before `store`.
    pub async fn new(store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let version = AtomicU64::new(store.access_version().await?);
        Ok(Self {
            store,
            version,
            credentials: Cache::new(CACHED_CREDENTIALS),
            operator_tokens: Cache::new(CACHED_OPERATOR_TOKENS),
            businesses: Cache::new(CACHED_BUSINESSES),
        })
    }

    /// The credential that a presented secret belongs to, revoked and expired ones included.
    pub async fn credential(
        &self,
        kind: CredentialKind,
        hash: SecretHash,
    ) -> Result<Option<Arc<Credential>>, StoreError> {
        let version = self.version.load(Ordering::Acquire);
        if let Some(found) = current(self.credentials.get(&(kind, hash)), version) {
            return Ok(Some(found));
        }
        let found = self.store.credential_by_hash(kind, hash).await?.map(Arc::new);
        if let Some(value) = &found {
            self.credentials.insert(
                (kind, hash),
                Stamped {
                    version,
                    value: Arc::clone(value),
                },
            );
        }
        Ok(found)
    }

    /// The operator token that a presented secret belongs to.
    pub async fn operator_token(&self, hash: SecretHash) -> Result<Option<Arc<OperatorToken>>, StoreError> {
        let version = self.version.load(Ordering::Acquire);
        if let Some(found) = current(self.operator_tokens.get(&hash), version) {
            return Ok(Some(found));
        }
        let found = self.store.operator_token_by_hash(hash).await?.map(Arc::new);
        if let Some(value) = &found {
            self.operator_tokens.insert(
                hash,
                Stamped {
                    version,
                    value: Arc::clone(value),
                },
            );
        }
        Ok(found)
    }

    /// A business and its campaigns.
    pub async fn business(&self, id: BusinessId) -> Result<Option<Arc<BusinessAccess>>, StoreError> {
        let version = self.version.load(Ordering::Acquire);
        if let Some(found) = current(self.businesses.get(&id), version) {
            return Ok(Some(found));
        }
        let Some(business) = self.store.business(id).await? else {
            return Ok(None);
        };
        let mut campaigns: Vec<Campaign> = Vec::new();
        loop {
            let after = campaigns.last().map(|last| last.id);
            let page = self.store.campaigns(id, after, CAMPAIGNS_PAGE).await?;
            let complete = page.len() < CAMPAIGNS_PAGE;
            campaigns.extend(page);
            if complete {
                break;
            }
        }
        let value = Arc::new(BusinessAccess::new(business, campaigns));
        self.businesses.insert(
            id,
            Stamped {
                version,
                value: Arc::clone(&value),
            },
        );
        Ok(Some(value))
    }

    /// Drops what is no longer current. Called after this process changed a business, campaign,
    /// credential or operator token, so that the change acts before it is answered.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let version = self.store.access_version().await?;
        // An older answer that arrives late must not bring dropped entries back.
        self.version.fetch_max(version, Ordering::AcqRel);
        Ok(())
    }

    /// Refreshes every [`WATCH_INTERVAL`], for ever. While the store does not answer, what is in
    /// memory goes on being used.
    pub async fn watch(&self) {
        let mut ticks = tokio::time::interval(WATCH_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            ticks.tick().await;
            match self.refresh().await {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(%error, "cannot see whether keys changed elsewhere");
                }
                Err(_) => {}
            }
        }
    }
}

fn current<T>(entry: Option<Stamped<T>>, version: u64) -> Option<Arc<T>> {
    entry
        .filter(|entry| entry.version == version)
        .map(|entry| entry.value)
}
