//! A request from its address to its answer.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use futures_util::FutureExt;
use prilavok_domain::Timestamp;
use prilavok_store::Credential;
use prilavok_wire::error::Quoted;
use prilavok_wire::{ApiError, Failure, Operation};

use super::admission::{Admitted, admit};
use super::answer::{Reply, respond};
use super::body::RequestBody;
use super::call::Call;
use super::refusal::Incident;
use super::route::{self, Route};
use super::{auth, campaigns, chats, events, files, headers, messages, token};
use crate::app::{App, SharedApp};
use crate::recording::CalledWith;
use crate::request_id::RequestId;

/// Left in a request that is to fail: once the call is admitted, this is its answer. So the sandbox makes faults.
#[derive(Debug, Clone)]
pub struct Injected(pub ApiError);

/// The operation that a method and a path mean, and the id in the path as it was written.
#[must_use]
pub fn called<'p>(method: &Method, path: &'p str) -> Option<(Operation, &'p str)> {
    match route::find(method, path) {
        Route::Operation { operation, id } => Some((operation, id)),
        _ => None,
    }
}

/// Answers a request to the Partner API, and any request whose address nobody else knows. The
/// operation and the caller's business are left in the answer's extensions, for those who count and log.
pub async fn partner(State(app): State<SharedApp>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let recording = app.recorder.begin(|| app.now());
    let mut body = RequestBody::new(&parts.headers, body, app.recorder.kept_of_body(&parts.headers));
    let answering = AssertUnwindSafe(find_and_answer(&app, &parts, &mut body)).catch_unwind();
    let response = answering
        .await
        .unwrap_or_else(|panic| panicked(&*panic, parts.extensions.get::<RequestId>()));
    body.drain().await;
    match recording {
        None => response,
        Some(recording) => recording.answered(parts, body.captured(), response).await,
    }
}

async fn find_and_answer(app: &SharedApp, parts: &Parts, body: &mut RequestBody) -> Response<Body> {
    match route::find(&parts.method, parts.uri.path()) {
        Route::Operation { operation, id } => answer(app, operation, id, parts, body).await,
        Route::Events { id } => events::stream_events(app, id, parts).await,
        Route::Options { allow } => options(allow),
        Route::OtherMethod { allow } => other_method(&parts.method, allow),
        Route::Unknown => refuse(ApiError::PathNotFound),
    }
}

/// The answer to a request whose handler panicked.
pub(crate) fn panicked(panic: &(dyn Any + Send), id: Option<&RequestId>) -> Response<Body> {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let id = id.map_or("unknown", |id| &id.0);
    tracing::error!(request_id = id, panic = text, "a handler panicked");
    refuse(ApiError::Internal {
        request_id: id.to_owned(),
    })
}

/// The Partner API's answer to a request that failed before it got there.
pub(crate) fn refuse(error: ApiError) -> Response<Body> {
    respond(Err(error.into()))
}

/// The Partner API's answer to a request that nothing is done for, because too many wait.
pub(crate) fn turn_away(app: &App, parts: &Parts) -> Response<Body> {
    let mut response = refuse(ApiError::Overloaded);
    if let Route::Operation { operation, .. } = route::find(&parts.method, parts.uri.path()) {
        // Who asks is not looked at: nobody's numbers are shown, and nobody's hour pays.
        let window = app.limits.window(operation, None, app.now());
        headers::add_limits(response.headers_mut(), window);
        response.extensions_mut().insert(operation);
    }
    response
}

/// Reads away a body that nobody wants, so that a client which is still sending gets to see its answer.
pub(crate) async fn drain(headers: &HeaderMap, body: Body) {
    RequestBody::new(headers, body, 0).drain().await;
}

pub(super) fn other_method(method: &Method, allow: &HeaderValue) -> Response<Body> {
    let mut response = refuse(ApiError::MethodNotSupported(Quoted::new(method.as_str())));
    response.headers_mut().insert(header::ALLOW, allow.clone());
    response
}

pub(super) fn options(allow: &HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::ALLOW, allow.clone());
    response
}

async fn answer(
    app: &App,
    operation: Operation,
    id: &str,
    parts: &Parts,
    body: &mut RequestBody,
) -> Response<Body> {
    let now = app.now();
    let (caller, outcome) = perform(app, operation, id, parts, body, now).await;
    let business = caller.as_ref().map(|caller| caller.business);
    let mut response = respond(outcome);
    headers::add_limits(
        response.headers_mut(),
        app.limits.window(operation, business, now),
    );
    response.extensions_mut().insert(operation);
    CalledWith::leave(caller, &mut response);
    response
}

/// Does what is asked. Answers also who asked, and so whose hour it is, as far as the caller is known.
async fn perform(
    app: &App,
    operation: Operation,
    id: &str,
    parts: &Parts,
    body: &mut RequestBody,
    now: Timestamp,
) -> (Option<Arc<Credential>>, Result<Reply, Failure>) {
    let incident = Incident::new(parts.extensions.get::<RequestId>());
    let credential = match auth::credential(app, &parts.headers, now, &incident).await {
        Ok(credential) => credential,
        Err(error) => return (None, Err(error.into())),
    };
    let business = credential.business;
    let admitted = match admit(app, operation, id, &credential, now, &incident).await {
        Ok(admitted) => admitted,
        Err(refused) => {
            if refused.charged {
                app.limits.charge(operation, business, now);
            }
            return (Some(credential), Err(refused.error.into()));
        }
    };
    let Admitted {
        access,
        campaign,
        slot,
    } = admitted;
    let call = Call {
        app,
        operation,
        credential: &credential,
        access: &access,
        campaign,
        parts,
        body,
        now,
        incident: &incident,
    };
    let outcome = match parts.extensions.get::<Injected>() {
        Some(Injected(error)) => Err(error.clone().into()),
        None => handle(call).await,
    };
    drop(slot);
    if matches!(&outcome, Err(failure) if is_free(failure.status())) {
        app.limits.give_back(operation, business, now);
    }
    (Some(credential), outcome)
}

/// Whether an answer to an admitted call takes none of the hour's calls. A limit refuses before that, unless a
/// sandbox puts its refusal in.
fn is_free(status: StatusCode) -> bool {
    status.is_server_error() || status.as_u16() == 420
}

async fn handle(call: Call<'_>) -> Result<Reply, Failure> {
    match call.operation {
        Operation::GetChat => chats::get_chat(call).await,
        Operation::GetChats => chats::get_chats(call).await,
        Operation::CreateChat => chats::create_chat(call).await,
        Operation::GetChatHistory => messages::get_chat_history(call).await,
        Operation::GetChatMessage => messages::get_chat_message(call).await,
        Operation::SendMessageToChat => messages::send_message(call).await,
        Operation::SendFileToChat => files::send_file(call).await,
        Operation::GetAuthTokenInfo => token::get_auth_token_info(&call),
        Operation::GetCampaigns => campaigns::get_campaigns(&call),
        Operation::GetCampaign => campaigns::get_campaign(&call, call.campaign.unwrap_or_default()),
    }
}
