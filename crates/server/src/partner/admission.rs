//! Whether a caller may do what it asks for now: the business of the key, the state of the business,
//! the scope, the parallel and the hourly limit, in this order.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use prilavok_domain::{BusinessState, Campaign, CampaignState, CredentialKind, ScopeSet, Timestamp};
use prilavok_store::Credential;
use prilavok_wire::error::Limited;
use prilavok_wire::operation::Area;
use prilavok_wire::{ApiError, Operation, query};

use super::refusal::{self, Incident};
use crate::access::BusinessAccess;
use crate::app::App;
use crate::limits::{Bucket, LimitRefusal, Slot};
use crate::metrics::RefusedBy;

/// A refusal, and whether the caller's hour pays for it.
pub(super) struct Refused {
    pub(super) error: ApiError,
    pub(super) charged: bool,
}

impl Refused {
    fn charged(error: ApiError) -> Self {
        Self { error, charged: true }
    }

    fn free(error: ApiError) -> Self {
        Self {
            error,
            charged: false,
        }
    }
}

/// A caller who may go on. One call of the hour is taken.
pub(super) struct Admitted {
    pub(super) access: Arc<BusinessAccess>,
    /// The number of the campaign in the address.
    pub(super) campaign: Option<i64>,
    /// The place among the calls under way.
    pub(super) slot: Slot,
}

/// What is asked of a caller.
pub(super) struct Needs {
    /// What the address is about.
    pub(super) area: Area,
    /// Whether an OAuth token will do.
    pub(super) oauth: bool,
    /// The scopes of which one is needed.
    pub(super) scopes: ScopeSet,
}

impl From<Operation> for Needs {
    fn from(operation: Operation) -> Self {
        let row = operation.row();
        Self {
            area: row.area,
            oauth: row.oauth,
            scopes: row.scopes,
        }
    }
}

/// A caller who may do what it asks for, apart from limits.
pub(super) struct Entitled {
    access: Arc<BusinessAccess>,
    /// The number of the campaign in the address.
    campaign: Option<i64>,
}

/// Admits a call or refuses it. `id` is the id in the path as it was written.
pub(super) async fn admit(
    app: &App,
    operation: Operation,
    id: &str,
    credential: &Credential,
    now: Timestamp,
    incident: &Incident,
) -> Result<Admitted, Refused> {
    let Entitled { access, campaign } = entitle(app, &operation.into(), id, credential, incident).await?;
    let seen = campaign.and_then(|number| visible_campaign(&access, credential, number));
    let slot = take_limits(app, operation, credential, seen, now)
        .await
        .map_err(Refused::free)?;
    Ok(Admitted {
        access,
        campaign,
        slot,
    })
}

/// The business of the key, the state of the business, the scope: what comes before all limits.
pub(super) async fn entitle(
    app: &App,
    needs: &Needs,
    id: &str,
    credential: &Credential,
    incident: &Incident,
) -> Result<Entitled, Refused> {
    let campaign = match needs.area {
        Area::Business => own_business(id, credential).map(|()| None)?,
        Area::Campaign => Some(path_id("campaignId", id).map_err(Refused::charged)?),
        Area::Key => None,
    };
    if !needs.oauth && credential.kind != CredentialKind::ApiKey {
        return Err(Refused::charged(ApiError::AccessDenied));
    }
    let access = app
        .access
        .business(credential.business)
        .await
        .map_err(|error| Refused::free(refusal::to_error(error, incident)))?
        .ok_or_else(|| Refused::free(ApiError::AccessDenied))?;
    let seen = campaign.and_then(|number| visible_campaign(&access, credential, number));
    check_state(needs.area, &access, seen).map_err(Refused::charged)?;
    if !needs.scopes.intersects(credential.scopes) {
        return Err(Refused::charged(ApiError::ScopeMissing(needs.scopes)));
    }
    Ok(Entitled { access, campaign })
}

fn path_id(name: &str, text: &str) -> Result<i64, ApiError> {
    query::id(name, &percent_decode_str(text).decode_utf8_lossy())
}

fn own_business(id: &str, credential: &Credential) -> Result<(), Refused> {
    match path_id("businessId", id) {
        Ok(id) if id == credential.business.get() => Ok(()),
        // The caller's own hour pays, as for every 4xx; the other business's is not touched.
        Ok(_) => Err(Refused::charged(ApiError::AccessDenied)),
        Err(error) => Err(Refused::charged(error)),
    }
}

/// The campaign with this number, if it belongs to the caller's business and the caller may see it.
pub(super) fn visible_campaign<'a>(
    access: &'a BusinessAccess,
    credential: &Credential,
    number: i64,
) -> Option<&'a Campaign> {
    access
        .campaigns
        .iter()
        .find(|campaign| campaign.id.get() == number && may_see(credential, campaign))
}

/// Whether a credential's user may see a campaign of the business.
pub(super) fn may_see(credential: &Credential, campaign: &Campaign) -> bool {
    credential.campaigns.is_empty() || credential.campaigns.contains(&campaign.id)
}

fn check_state(area: Area, access: &BusinessAccess, campaign: Option<&Campaign>) -> Result<(), ApiError> {
    let business = &access.business;
    if business.state == BusinessState::Migrating {
        return Err(ApiError::Migrating);
    }
    let disabled = || business.state == BusinessState::Disabled || access.has_only_disabled_campaigns();
    match (area, campaign) {
        (Area::Business, _) if disabled() => Err(ApiError::BusinessDisabled(business.id)),
        (Area::Campaign, Some(campaign)) if campaign.state != CampaignState::Available => {
            Err(ApiError::CampaignDisabled(campaign.id))
        }
        _ => Ok(()),
    }
}

async fn take_limits(
    app: &App,
    operation: Operation,
    credential: &Credential,
    campaign: Option<&Campaign>,
    now: Timestamp,
) -> Result<Slot, ApiError> {
    let business = credential.business;
    let (bucket, of) = match campaign {
        Some(campaign) => (
            Bucket::Campaign(business, campaign.id),
            Limited::Campaign(campaign.id),
        ),
        None => (Bucket::Business(business), Limited::Business(business)),
    };
    let slot = app.limits.enter(bucket);
    let slot = slot.map_err(|refusal| limit_error(app, refusal, operation, of))?;
    let taken = app.limits.take(operation, business, now).await;
    taken.map_err(|refusal| limit_error(app, refusal, operation, Limited::Business(business)))?;
    Ok(slot)
}

fn limit_error(app: &App, refusal: LimitRefusal, operation: Operation, of: Limited) -> ApiError {
    let (by, error) = match refusal {
        LimitRefusal::Parallel { limit } => (RefusedBy::Parallel, ApiError::ParallelLimit { limit, of }),
        LimitRefusal::Hourly { limit } => (RefusedBy::Hourly, ApiError::HourlyLimit { limit, operation, of }),
    };
    app.metrics.refused(operation.as_str(), by);
    error
}
