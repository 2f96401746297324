//! Faults of calls: by a rule, or as the request itself asks in a header.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderName, HeaderValue};
use http_body_util::BodyExt;
use prilavok_domain::BusinessId;
use prilavok_server::app::SharedApp;
use prilavok_server::http::HangUp;
use prilavok_server::partner::{self, Injected};
use prilavok_server::request_id::RequestId;
use prilavok_wire::operation::Area;
use prilavok_wire::{ApiError, Failure, Operation};

use super::{Act, ErrorName, Faults};

/// The header in which a request asks for a fault of its own: `error=chatNotFound`, `delay=30s`, `cutOff` or
/// `loseAnswer`.
pub const HEADER: HeaderName = HeaderName::from_static("x-prilavok-fault");
/// How long half an answer has to leave.
const LEAVING: Duration = Duration::from_millis(20);
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-resource-remaining");

/// Lets calls of the Partner API go wrong where a rule or the request says so.
pub async fn meddle(
    State((faults, app)): State<(Faults, SharedApp)>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some((operation, id)) = partner::called(request.method(), request.uri().path()) else {
        return next.run(request).await;
    };
    let business = match operation.row().area {
        Area::Business => id.parse().ok(),
        _ => None,
    };
    let act = match asked(&request) {
        None => faults.of_call(operation, business),
        Some(Ok(act)) => Some(act),
        Some(Err(why)) => return refused(&why),
    };
    match act {
        None | Some(Act::Duplicate | Act::Drop) => next.run(request).await,
        Some(Act::Error(name)) => {
            let error = error(name, operation, business, &app, &request);
            request.extensions_mut().insert(Injected(error));
            let mut response = next.run(request).await;
            if name == ErrorName::HourlyLimit {
                response
                    .headers_mut()
                    .insert(REMAINING, HeaderValue::from_static("0"));
            }
            response
        }
        Some(Act::Delay(span)) => {
            tokio::time::sleep(span.duration()).await;
            next.run(request).await
        }
        Some(Act::CutOff) => cut_off(next.run(request).await).await,
        Some(Act::LoseAnswer) => {
            let mut response = next.run(request).await;
            response.extensions_mut().insert(HangUp);
            response
        }
    }
}

/// What the request asks for itself.
fn asked(request: &Request) -> Option<Result<Act, String>> {
    let value = request.headers().get(HEADER)?;
    let text = String::from_utf8_lossy(value.as_bytes());
    Some(match text.split_once('=') {
        None if text == "cutOff" => Ok(Act::CutOff),
        None if text == "loseAnswer" => Ok(Act::LoseAnswer),
        Some(("error", name)) => name.parse().map(Act::Error),
        Some(("delay", span)) => span.parse().map(Act::Delay).map_err(|error| format!("{error}")),
        _ => Err(format!(
            "'{text}' is none of error=NAME, delay=TIME, cutOff, loseAnswer"
        )),
    })
}

fn refused(why: &str) -> Response {
    let failure = Failure::from(ApiError::IllegalInput(format!("X-Prilavok-Fault: {why}")));
    let mut response = Response::new(Body::from(failure.to_json()));
    *response.status_mut() = failure.status();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}

fn error(
    name: ErrorName,
    operation: Operation,
    business: Option<i64>,
    app: &SharedApp,
    request: &Request,
) -> ApiError {
    // The call is admitted before it meets the error: its business is then one that exists.
    let business = business.and_then(|id| BusinessId::new(id).ok());
    let business = business.unwrap_or_else(|| BusinessId::new(1).expect("1 is an id"));
    let id = request.extensions().get::<RequestId>();
    let id = id.map_or_else(|| Arc::from("unknown"), |id| Arc::clone(&id.0));
    name.error(operation, business, &app.settings.limits, &id)
}

/// The same answer, of which only the first half arrives.
async fn cut_off(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(_) => Bytes::new(),
    };
    parts
        .headers
        .insert(http::header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = whole.slice(..whole.len() / 2);
    let broken = async {
        // What was written before must have left: it is thrown away with the connection otherwise.
        tokio::time::sleep(LEAVING).await;
        Err(io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "cut off on purpose",
        ))
    };
    let body = stream::iter([Ok(half)]).chain(stream::once(broken));
    Response::from_parts(parts, Body::from_stream(body))
}
