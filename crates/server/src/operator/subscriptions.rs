//! Subscriptions to notifications: where a business's systems want to be told of what.

use axum::extract::State;
use axum::http::StatusCode;
use prilavok_domain::event::DisabledBy;
use prilavok_domain::{BusinessId, SubscriptionId};
use prilavok_notify::NotEnrolled;
use prilavok_store::{Entity, NewSubscription, Subscription, Switch};

use super::auth::Operator;
use super::openapi::{PingErrors, PingWriteErrors, ReadErrors, SUBSCRIPTIONS, WriteErrors};
use super::subscription_json::{ChangeBody, CreateBody, PingJson, RotateBody, SubscriptionJson};
use crate::app::{App, SharedApp};
use crate::json_api::body::Json;
use crate::json_api::error::{ApiError, Code, capitalised};
use crate::json_api::idempotency::{Answer, Once};
use crate::json_api::page::{Page, Paging};
use crate::json_api::path::{Id, InBusiness};
use crate::json_api::query::Query;

/// Create a subscription
///
/// The answer holds the signing secret as `secret`: this once. A replay (same `Idempotency-Key`) answers the
/// subscription as it is by then, without `secret`.
///
/// The URL is sent a PING first, signed with the new secret. If that is not answered as documented, nothing is
/// created, and the error `PING_FAILED` says what was wrong. A receiver that verifies signatures must know the
/// secret before: create the subscription with `enabled: false`, give the receiver the secret, then enable it.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/subscriptions",
    tag = SUBSCRIPTIONS,
    operation_id = "createSubscription",
    params(InBusiness, Once),
    request_body = CreateBody,
    responses(
        (status = 201, description = "The subscription, with its secret.", body = SubscriptionJson),
        PingWriteErrors,
    ),
)]
pub(super) async fn create_subscription(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    once: Once,
    Json {
        value: body,
        canonical,
    }: Json<CreateBody>,
) -> Result<Answer<SubscriptionJson>, ApiError> {
    let once = once.of("createSubscription", &[canonical.as_bytes()]);
    let new = NewSubscription {
        business,
        name: body.name,
        url: body.url,
        types: body.types,
    };
    let enrolment = app.notifier.enrolment();
    let created = enrolment.create(new, body.enabled, once, app.now()).await?;
    app.notifier.refresh().await?;
    let secret = (!created.replayed).then(|| enrolment.secret(&created.value));
    Ok(Answer {
        status: StatusCode::CREATED,
        body: SubscriptionJson::with_secret(created.value, secret),
        replayed: created.replayed,
    })
}

/// List subscriptions
///
/// Those of the business by id; never their secrets.
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/subscriptions",
    tag = SUBSCRIPTIONS,
    operation_id = "listSubscriptions",
    params(InBusiness, Paging<SubscriptionId>),
    responses(
        (status = 200, description = "A page of subscriptions.", body = Page<SubscriptionJson>),
        ReadErrors,
    ),
)]
pub(super) async fn list_subscriptions(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Query(paging): Query<Paging<SubscriptionId>>,
) -> Result<axum::Json<Page<SubscriptionJson>>, ApiError> {
    let all = app.store.subscriptions(business).await?.into_iter();
    let after = all.filter(|it| paging.after.is_none_or(|after| it.id > after));
    let page = after.take(paging.with_one_more()).collect();
    Ok(axum::Json(
        paging.page(page, |subscription: &Subscription| subscription.id),
    ))
}

/// Show a subscription
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/subscriptions/{subscriptionId}",
    tag = SUBSCRIPTIONS,
    operation_id = "getSubscription",
    params(InBusiness, Id<SubscriptionId>),
    responses((status = 200, description = "The subscription.", body = SubscriptionJson), ReadErrors),
)]
pub(super) async fn get_subscription(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<SubscriptionId>,
) -> Result<axum::Json<SubscriptionJson>, ApiError> {
    Ok(axum::Json(existing(&app, business, id).await?.into()))
}

async fn existing(app: &App, business: BusinessId, id: SubscriptionId) -> Result<Subscription, ApiError> {
    let found = app.store.subscription(business, id).await?;
    found.ok_or_else(|| ApiError::not_found(&Entity::Subscription(id)))
}

/// Change a subscription
///
/// Its name, its URL or what it is told of; acts at once. Where an enabled subscription gets another URL, that is
/// sent a PING first; if it is not answered as documented, nothing is changed (`PING_FAILED`).
#[utoipa::path(
    patch,
    path = "/businesses/{businessId}/subscriptions/{subscriptionId}",
    tag = SUBSCRIPTIONS,
    operation_id = "changeSubscription",
    params(InBusiness, Id<SubscriptionId>),
    request_body = ChangeBody,
    responses(
        (status = 200, description = "The subscription as it is now.", body = SubscriptionJson),
        PingWriteErrors,
    ),
)]
pub(super) async fn change_subscription(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<SubscriptionId>,
    Json { value: body, .. }: Json<ChangeBody>,
) -> Result<axum::Json<SubscriptionJson>, ApiError> {
    let subscription = existing(&app, business, id).await?;
    let changed = app
        .notifier
        .enrolment()
        .change(&subscription, body.into())
        .await?;
    app.notifier.refresh().await?;
    Ok(axum::Json(changed.into()))
}

/// Enable a subscription
///
/// It is sent a PING; if that is not answered as documented, it stays disabled (`PING_FAILED`). It is told of what
/// happens from now on. One that is enabled stays as it is and gets no PING.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/subscriptions/{subscriptionId}/enable",
    tag = SUBSCRIPTIONS,
    operation_id = "enableSubscription",
    params(InBusiness, Id<SubscriptionId>),
    responses((status = 200, description = "The subscription, enabled.", body = SubscriptionJson), PingErrors),
)]
pub(super) async fn enable_subscription(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<SubscriptionId>,
) -> Result<axum::Json<SubscriptionJson>, ApiError> {
    let subscription = existing(&app, business, id).await?;
    let enabled = app.notifier.enrolment().enable(&subscription).await?;
    app.notifier.refresh().await?;
    Ok(axum::Json(enabled.into()))
}

/// Disable a subscription
///
/// At once; what waited to be delivered is cancelled. Disabling it again changes nothing.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/subscriptions/{subscriptionId}/disable",
    tag = SUBSCRIPTIONS,
    operation_id = "disableSubscription",
    params(InBusiness, Id<SubscriptionId>),
    responses((status = 200, description = "The subscription, disabled.", body = SubscriptionJson), ReadErrors),
)]
pub(super) async fn disable_subscription(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<SubscriptionId>,
) -> Result<axum::Json<SubscriptionJson>, ApiError> {
    let off = Switch::Off(DisabledBy::Hand);
    let disabled = app.store.switch_subscription(business, id, off).await?;
    app.notifier.refresh().await?;
    Ok(axum::Json(disabled.into()))
}

/// Send a subscription a PING
///
/// To see how its URL answers. Nothing is changed, whatever the answer is.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/subscriptions/{subscriptionId}/ping",
    tag = SUBSCRIPTIONS,
    operation_id = "pingSubscription",
    params(InBusiness, Id<SubscriptionId>),
    responses((status = 200, description = "How the PING was answered.", body = PingJson), ReadErrors),
)]
pub(super) async fn ping_subscription(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<SubscriptionId>,
) -> Result<axum::Json<PingJson>, ApiError> {
    let subscription = existing(&app, business, id).await?;
    let (attempt, _) = app.notifier.sender().ping(&subscription).await;
    Ok(axum::Json(attempt.into()))
}

/// Replace the signing secret
///
/// The answer holds the new `secret`: this once. Notifications are signed with both until the previous one ends;
/// libraries for Standard Webhooks accept either. Each call replaces the newest secret, so a call that is repeated
/// leaves only the secrets of the last two calls valid.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/subscriptions/{subscriptionId}/rotate-secret",
    tag = SUBSCRIPTIONS,
    operation_id = "rotateSecret",
    params(InBusiness, Id<SubscriptionId>),
    request_body = RotateBody,
    responses(
        (status = 200, description = "The subscription, with its new secret.", body = SubscriptionJson),
        WriteErrors,
    ),
)]
pub(super) async fn rotate_secret(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<SubscriptionId>,
    Json { value: body, .. }: Json<RotateBody>,
) -> Result<axum::Json<SubscriptionJson>, ApiError> {
    let enrolment = app.notifier.enrolment();
    let rotated = enrolment
        .rotate_secret(business, id, body.previous_valid_seconds, app.now())
        .await?;
    app.notifier.refresh().await?;
    let secret = enrolment.secret(&rotated);
    Ok(axum::Json(SubscriptionJson::with_secret(rotated, Some(secret))))
}

/// Delete a subscription
///
/// At once; what waited to be delivered is cancelled. Its lines in the delivery log stay for as long as they are
/// kept.
#[utoipa::path(
    delete,
    path = "/businesses/{businessId}/subscriptions/{subscriptionId}",
    tag = SUBSCRIPTIONS,
    operation_id = "deleteSubscription",
    params(InBusiness, Id<SubscriptionId>),
    responses((status = 204, description = "It is gone."), ReadErrors),
)]
pub(super) async fn delete_subscription(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<SubscriptionId>,
) -> Result<StatusCode, ApiError> {
    app.store.delete_subscription(business, id).await?;
    app.notifier.refresh().await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<NotEnrolled> for ApiError {
    fn from(error: NotEnrolled) -> Self {
        match error {
            NotEnrolled::Url(problem) => Self::field("url", problem),
            NotEnrolled::Ping(failed) => Self::new(Code::PingFailed, capitalised(&failed.to_string()))
                .about("url", "must answer a PING as documented"),
            NotEnrolled::Store(error) => error.into(),
        }
    }
}
