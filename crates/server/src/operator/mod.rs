//! The Operator API, `/operator/v1`: what a marketplace's backend programs against.
//!
//! One file for each resource; a handler is declared together with its path and its description, from
//! which the OpenAPI document is made. Who may call is in [`auth`]; what is below a handler, requests and answers, is
//! shared with the Buyer API ([`crate::json_api`]).

mod arbitration;
mod auth;
mod bulk;
mod businesses;
mod campaigns;
mod chats;
mod credentials;
mod customers;
mod deliveries;
mod erasure;
mod events;
mod export;
mod files;
mod keys;
mod messages;
mod oauth_tokens;
mod openapi;
mod orders;
mod registry;
mod request_json;
mod requests;
mod returns;
mod subscription_json;
mod subscriptions;

use std::any::Any;
use std::sync::LazyLock;

use axum::Router;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::SharedApp;
use crate::json_api::{OperationNames, envelope};
use crate::request_id::RequestId;
use crate::router;

pub use request_json::LoggedRequestJson;
pub use requests::statuses;

const PREFIX: &str = "/operator/v1";

/// The routes of the Operator API; every path below `/operator` is answered in its envelope.
pub fn router(app: SharedApp) -> Router {
    let (router, _) = documented().split_for_parts();
    router
        .route("/operator/v1/openapi.json", get(document))
        .method_not_allowed_fallback(envelope::other_method)
        .route("/operator", any(envelope::no_such_path))
        .route("/operator/", any(envelope::no_such_path))
        .route("/operator/{*rest}", any(envelope::no_such_path))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| {
            envelope::panicked(&*panic)
        }))
        .layer(axum::middleware::from_fn_with_state(&NAMES, envelope::envelope))
        .with_state(app)
}

/// Whether the Operator API answers at this path.
pub(crate) fn is_at(path: &str) -> bool {
    router::is_below(path, "/operator")
}

/// The answer to a request that nothing is done for, because too many wait.
pub(crate) fn turn_away(parts: &Parts) -> Response {
    envelope::turn_away(parts.extensions.get::<RequestId>())
}

/// The OpenAPI document of the Operator API.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().into_openapi()
}

/// Serves the document to whoever asks.
async fn document() -> impl IntoResponse {
    static JSON: LazyLock<String> = LazyLock::new(|| openapi().to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], JSON.as_str())
}

/// The names of the operations.
static NAMES: LazyLock<OperationNames> = LazyLock::new(|| OperationNames::of(openapi()));

fn documented() -> OpenApiRouter<SharedApp> {
    let v1 = OpenApiRouter::new()
        .routes(routes!(businesses::list_businesses))
        .routes(routes!(businesses::put_business, businesses::get_business))
        .routes(routes!(campaigns::list_campaigns))
        .routes(routes!(campaigns::put_campaign, campaigns::get_campaign))
        .routes(routes!(customers::list_customers))
        .routes(routes!(
            customers::put_customer,
            customers::get_customer,
            erasure::erase_customer
        ))
        .routes(routes!(erasure::get_erasure))
        .routes(routes!(export::export_customer))
        .routes(routes!(orders::list_orders))
        .routes(routes!(orders::put_order, orders::get_order))
        .routes(routes!(returns::list_returns))
        .routes(routes!(returns::put_return, returns::get_return))
        .routes(routes!(bulk::register_many))
        .routes(routes!(keys::create_key, keys::list_keys))
        .routes(routes!(keys::get_key, keys::change_key))
        .routes(routes!(keys::revoke_key))
        .routes(routes!(
            oauth_tokens::create_oauth_token,
            oauth_tokens::list_oauth_tokens
        ))
        .routes(routes!(
            oauth_tokens::get_oauth_token,
            oauth_tokens::change_oauth_token
        ))
        .routes(routes!(oauth_tokens::revoke_oauth_token))
        .routes(routes!(chats::start_chat, chats::list_chats))
        .routes(routes!(chats::get_chat))
        .routes(routes!(chats::escalate_chat))
        .routes(routes!(chats::finish_chat))
        .routes(routes!(arbitration::start_arbitration))
        .routes(routes!(messages::send_message, messages::list_messages))
        .routes(routes!(messages::get_message))
        .routes(routes!(files::send_files))
        .routes(routes!(
            subscriptions::create_subscription,
            subscriptions::list_subscriptions
        ))
        .routes(routes!(
            subscriptions::get_subscription,
            subscriptions::change_subscription,
            subscriptions::delete_subscription
        ))
        .routes(routes!(subscriptions::enable_subscription))
        .routes(routes!(subscriptions::disable_subscription))
        .routes(routes!(subscriptions::ping_subscription))
        .routes(routes!(subscriptions::rotate_secret))
        .routes(routes!(deliveries::send_events_again))
        .routes(routes!(deliveries::list_deliveries))
        .routes(routes!(deliveries::get_delivery))
        .routes(routes!(deliveries::send_delivery_again))
        .routes(routes!(events::stream_events))
        .routes(routes!(requests::list_requests))
        .routes(routes!(requests::get_request));
    OpenApiRouter::with_openapi(openapi::Document::openapi()).nest(PREFIX, v1)
}
