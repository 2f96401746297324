//! The Buyer API, `/buyer/v1`: what a shop's page calls for a customer, who sees nothing but their own chats. A token that
//! the marketplace's backend signed opens it ([`token`], [`auth`]); the rest is as in the Operator API, with which it
//! shares what requests and answers are made of.

mod arbitration;
mod auth;
mod chats;
mod crypto;
mod events;
mod files;
pub mod keys;
mod limits;
mod me;
mod messages;
mod once;
mod openapi;
pub mod token;

use std::any::Any;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::SharedApp;
use crate::json_api::{OperationNames, envelope};
use crate::request_id::RequestId;
use crate::router;
use crate::settings::{BuyerSettings, WebOrigin};
use limits::BuyerLimits;
use token::Tokens;

const PREFIX: &str = "/buyer/v1";
/// How long a browser may remember what a page of another origin may call.
const PREFLIGHT: Duration = Duration::from_secs(3_600);

/// What the Buyer API knows of its callers.
pub struct Buyers {
    /// Verifies their tokens.
    pub tokens: Tokens,
    /// What each of them may do at a time.
    pub limits: BuyerLimits,
}

impl Buyers {
    /// As the settings say. `server` is the server's secret.
    #[must_use]
    pub fn new(settings: &BuyerSettings, server: &[u8; 32]) -> Self {
        Self {
            tokens: Tokens::new(settings, server),
            limits: BuyerLimits::new(settings),
        }
    }
}

/// The routes of the Buyer API; every path below `/buyer` is answered in its envelope.
pub fn router(app: SharedApp) -> Router {
    let (router, _) = documented().split_for_parts();
    let cors = cors(&app.settings.buyer.allowed_origins);
    router
        .route("/buyer/v1/openapi.json", get(document))
        .method_not_allowed_fallback(envelope::other_method)
        .route("/buyer", any(envelope::no_such_path))
        .route("/buyer/", any(envelope::no_such_path))
        .route("/buyer/{*rest}", any(envelope::no_such_path))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| {
            envelope::panicked(&*panic)
        }))
        .layer(axum::middleware::from_fn_with_state(&NAMES, envelope::envelope))
        .layer(cors)
        .with_state(app)
}

/// What pages of other origins may do: those that the settings name, everything.
fn cors(origins: &[WebOrigin]) -> CorsLayer {
    if origins.is_empty() {
        return CorsLayer::new();
    }
    let origins: Vec<_> = origins.iter().map(WebOrigin::to_header).collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([
            header::RETRY_AFTER,
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("idempotent-replayed"),
        ])
        .max_age(PREFLIGHT)
}

/// Whether the Buyer API answers at this path.
pub(crate) fn is_at(path: &str) -> bool {
    router::is_below(path, "/buyer")
}

/// The answer to a request that nothing is done for, because too many wait.
pub(crate) fn turn_away(parts: &Parts) -> Response {
    envelope::turn_away(parts.extensions.get::<RequestId>())
}

/// The OpenAPI document of the Buyer API.
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
        .routes(routes!(me::get_me))
        .routes(routes!(chats::start_chat, chats::list_chats))
        .routes(routes!(chats::get_chat))
        .routes(routes!(messages::send_message, messages::list_messages))
        .routes(routes!(messages::get_message))
        .routes(routes!(files::send_files))
        .routes(routes!(files::get_file))
        .routes(routes!(arbitration::start_arbitration))
        .routes(routes!(events::stream_events));
    OpenApiRouter::with_openapi(openapi::Document::openapi()).nest(PREFIX, v1)
}
