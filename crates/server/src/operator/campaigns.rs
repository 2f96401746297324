//! Campaigns: the stores of a business.

use axum::extract::State;
use axum::http::StatusCode;
use prilavok_domain::{BusinessId, Campaign, CampaignId, CampaignState, Name, Placement};
use prilavok_store::{Entity, Registration};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Operator;
use super::openapi::{CAMPAIGNS, ReadErrors, WriteErrors};
use super::registry;
use crate::app::SharedApp;
use crate::json_api::body::{Json, JsonBody};
use crate::json_api::error::{ApiError, IN_PATH};
use crate::json_api::fields::{self, Fields, FromFields};
use crate::json_api::json_id::JsonId;
use crate::json_api::names::{CampaignStateName, PlacementName};
use crate::json_api::page::{Page, Paging};
use crate::json_api::path::{Id, InBusiness};
use crate::json_api::query::Query;

/// A campaign to register, or what to change it to.
#[derive(Debug, ToSchema)]
#[schema(
    as = PutCampaign,
    example = json!({"domain": "romashka.example", "placement": "FBS", "state": "AVAILABLE"}),
)]
pub(super) struct CampaignBody {
    /// Its internet address or name, as buyers know it.
    #[schema(value_type = String, min_length = 1, max_length = 256)]
    domain: Name,
    /// How it sells.
    #[schema(value_type = PlacementName)]
    placement: Placement,
    /// Whether its Partner API answers.
    #[schema(value_type = CampaignStateName, required = false, default = "AVAILABLE")]
    state: CampaignState,
}

impl CampaignBody {
    pub(super) fn with(self, business: BusinessId, id: CampaignId) -> Campaign {
        Campaign {
            business,
            id,
            domain: self.domain,
            placement: self.placement,
            state: self.state,
        }
    }
}

impl FromFields for CampaignBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let domain = fields.required("domain", fields::name);
        let placement = fields.required("placement", fields::named);
        let state = fields.optional("state", fields::named);
        Some(Self {
            domain: domain?,
            placement: placement?,
            state: state?.unwrap_or(CampaignState::Available),
        })
    }
}

impl JsonBody for CampaignBody {}

/// A campaign.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Campaign)]
pub(super) struct CampaignJson {
    /// The business that it belongs to.
    business_id: JsonId,
    /// Its id.
    campaign_id: JsonId,
    /// Its internet address or name, as buyers know it.
    #[schema(example = "romashka.example")]
    domain: String,
    /// How it sells.
    placement: PlacementName,
    /// Whether its Partner API answers.
    state: CampaignStateName,
}

impl From<Campaign> for CampaignJson {
    fn from(campaign: Campaign) -> Self {
        Self {
            business_id: JsonId(campaign.business.get()),
            campaign_id: JsonId(campaign.id.get()),
            domain: campaign.domain.as_str().to_owned(),
            placement: PlacementName(campaign.placement),
            state: CampaignStateName(campaign.state),
        }
    }
}

/// Register or change a campaign
#[utoipa::path(
    put,
    path = "/businesses/{businessId}/campaigns/{campaignId}",
    tag = CAMPAIGNS,
    operation_id = "putCampaign",
    params(InBusiness, Id<CampaignId>),
    request_body = CampaignBody,
    responses(
        (status = 200, description = "It was there already.", body = CampaignJson),
        (status = 201, description = "It is new.", body = CampaignJson),
        WriteErrors,
    ),
)]
pub(super) async fn put_campaign(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<CampaignId>,
    Json { value: body, .. }: Json<CampaignBody>,
) -> Result<(StatusCode, axum::Json<CampaignJson>), ApiError> {
    let campaign = body.with(business, id);
    let status = registry::put(&app, Registration::Campaign(campaign.clone()), IN_PATH).await?;
    Ok((status, axum::Json(campaign.into())))
}

/// Show a campaign
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/campaigns/{campaignId}",
    tag = CAMPAIGNS,
    operation_id = "getCampaign",
    params(InBusiness, Id<CampaignId>),
    responses((status = 200, description = "The campaign.", body = CampaignJson), ReadErrors),
)]
pub(super) async fn get_campaign(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<CampaignId>,
) -> Result<axum::Json<CampaignJson>, ApiError> {
    let found = app.store.campaign(business, id).await?;
    let campaign = found.ok_or_else(|| ApiError::not_found(&Entity::Campaign(id)))?;
    Ok(axum::Json(campaign.into()))
}

/// List campaigns
///
/// Those of the business, by id.
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/campaigns",
    tag = CAMPAIGNS,
    operation_id = "listCampaigns",
    params(InBusiness, Paging<CampaignId>),
    responses((status = 200, description = "A page of campaigns.", body = Page<CampaignJson>), ReadErrors),
)]
pub(super) async fn list_campaigns(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Query(paging): Query<Paging<CampaignId>>,
) -> Result<axum::Json<Page<CampaignJson>>, ApiError> {
    let campaigns = app
        .store
        .campaigns(business, paging.after, paging.with_one_more())
        .await?;
    Ok(axum::Json(paging.page(campaigns, |campaign| campaign.id)))
}
