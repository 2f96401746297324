//! Campaigns: one, a list. Both are answered from what admission looked at already.

use prilavok_domain::Campaign;
use prilavok_wire::answer::{CampaignDto, CampaignsDto, OneCampaignDto, PagerDto, PagingDto};
use prilavok_wire::request::{CampaignsPage, GetCampaigns};
use prilavok_wire::{ApiError, Failure};

use super::admission::{may_see, visible_campaign};
use super::answer::Reply;
use super::call::Call;

pub(super) fn get_campaigns(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = GetCampaigns::parse(call.header_errors(), call.business(), call.query())?;
    let seen = |campaign: &&Campaign| may_see(call.credential, campaign);
    let all: Vec<&Campaign> = call.access.campaigns.iter().filter(seen).collect();
    let answer = match request.page {
        CampaignsPage::Numbered { page, size } => {
            let (pager, range) = PagerDto::new(all.len(), page, size);
            CampaignsDto {
                campaigns: dtos(call, &all[range]),
                pager: Some(pager),
                paging: None,
            }
        }
        CampaignsPage::After { last, limit } => {
            let start = last.map_or(0, |last| all.partition_point(|campaign| campaign.id <= last));
            let page = &all[start..all.len().min(start + limit)];
            let more = start + page.len() < all.len();
            let next = page
                .last()
                .filter(|_| more)
                .map(|last| request.next_page(last.id));
            CampaignsDto {
                campaigns: dtos(call, page),
                pager: None,
                paging: Some(PagingDto {
                    next_page_token: next,
                }),
            }
        }
    };
    Ok(Reply::bare(&answer))
}

pub(super) fn get_campaign(call: &Call<'_>, number: i64) -> Result<Reply, Failure> {
    call.header_errors().finish(())?;
    let campaign = visible_campaign(call.access, call.credential, number);
    let campaign = campaign.ok_or(ApiError::CampaignNotFound(number))?;
    Ok(Reply::bare(&OneCampaignDto {
        campaign: dto(call, campaign),
    }))
}

fn dtos<'a>(call: &Call<'a>, campaigns: &[&'a Campaign]) -> Vec<CampaignDto<'a>> {
    campaigns.iter().map(|campaign| dto(call, campaign)).collect()
}

fn dto<'a>(call: &Call<'a>, campaign: &'a Campaign) -> CampaignDto<'a> {
    CampaignDto::new(campaign, &call.access.business)
}
