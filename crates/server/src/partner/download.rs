//! `GET /files/{businessId}/{fileId}`: the content of a file, for whoever has a signed link or a
//! credential of the business. What is served is never run: an attachment of the type that its
//! content has, under a policy that forbids everything.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use prilavok_domain::{BusinessId, FileId, FileName};
use prilavok_store::files::FileError;
use prilavok_store::{Credential, StoredFile};
use prilavok_wire::{ApiError, Operation};

use super::answer::respond;
use super::refusal::{self, Incident};
use super::{auth, service};
use crate::app::{App, SharedApp};
use crate::metrics::OperationName;
use crate::recording::{self, CalledWith, CapturedBody};
use crate::request_id::RequestId;

const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// What may stand unescaped in the extended form of a file name (RFC 8187, attr-char).
const NOT_ATTR_CHAR: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'*')
    .add(b',')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'{')
    .add(b'}');

/// Answers with the file, or with the Partner API's envelope.
pub async fn download(
    State(app): State<SharedApp>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let recording = app.recorder.begin(|| app.now());
    let incident = Incident::new(parts.extensions.get::<RequestId>());
    let ids = path.map_or_else(|_| Default::default(), |Path(ids)| ids);
    let mut response = match parts.method {
        Method::GET | Method::HEAD => answer(&app, ids, &parts, &incident).await,
        Method::OPTIONS => service::options(&ALLOW),
        _ => service::other_method(&parts.method, &ALLOW),
    };
    response
        .extensions_mut()
        .insert(OperationName(recording::DOWNLOAD));
    match recording {
        None => response,
        Some(recording) => {
            recording
                .answered(parts, CapturedBody::unseen(None), response)
                .await
        }
    }
}

async fn answer(app: &App, ids: (String, String), parts: &Parts, incident: &Incident) -> Response<Body> {
    let mut caller = None;
    let opened = open(app, ids, parts, incident, &mut caller).await;
    let mut response = opened.unwrap_or_else(|error| respond(Err(error.into())));
    CalledWith::leave(caller, &mut response);
    response
}

/// The file. Leaves in `caller` who asks, where that is known.
async fn open(
    app: &App,
    (business, file): (String, String),
    parts: &Parts,
    incident: &Incident,
    caller: &mut Option<Arc<Credential>>,
) -> Result<Response<Body>, ApiError> {
    let business = business
        .parse()
        .ok()
        .and_then(|id| BusinessId::new(id).ok())
        .ok_or(ApiError::PathNotFound)?;
    let file = file
        .parse()
        .ok()
        .and_then(|id| FileId::new(id).ok())
        .ok_or(ApiError::PathNotFound)?;
    admit(app, business, file, parts, incident, caller).await?;
    let found = app
        .store
        .file(business, file)
        .await
        .map_err(|error| refusal::to_error(error, incident))?;
    let (_, stored) = found.ok_or(ApiError::PathNotFound)?;
    content(app, &stored)
        .await
        .map_err(|error| incident.of_file(&error))
}

/// The answer that a file is.
pub(crate) async fn content(app: &App, stored: &StoredFile) -> Result<Response<Body>, FileError> {
    let (size, content) = app.files.get(&stored.object).await?;
    let mut response = Response::new(Body::from_stream(content));
    describe(response.headers_mut(), stored, size);
    Ok(response)
}

/// A link that this server signed, or a credential of the business that may read its chats.
async fn admit(
    app: &App,
    business: BusinessId,
    file: FileId,
    parts: &Parts,
    incident: &Incident,
    caller: &mut Option<Arc<Credential>>,
) -> Result<(), ApiError> {
    let mut expires = None;
    let mut signature = None;
    for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
        match &*name {
            "expires" => expires = value.parse().ok(),
            "signature" => signature = Some(value.into_owned()),
            _ => {}
        }
    }
    let signed = signature.is_some();
    let verified = signature.is_some_and(|signature| {
        let expires = expires.unwrap_or(0);
        app.links
            .verify(business, file, expires, &signature, app.now())
            .is_ok()
    });
    if verified {
        return Ok(());
    }
    // Clients keep links and send their key along: it opens the file when the link's time is over.
    let credential = match auth::credential(app, &parts.headers, app.now(), incident).await {
        Err(ApiError::CredentialsMissing) if signed => return Err(ApiError::AccessDenied),
        found => caller.insert(found?),
    };
    let reads_chats = credential
        .scopes
        .intersects(Operation::GetChatHistory.row().scopes);
    if credential.business == business && reads_chats {
        Ok(())
    } else {
        Err(ApiError::AccessDenied)
    }
}

fn describe(headers: &mut HeaderMap, file: &StoredFile, size: u64) {
    let constant = HeaderValue::from_static;
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    let media_type = HeaderValue::from_str(&file.media_type);
    headers.insert(
        header::CONTENT_TYPE,
        media_type.unwrap_or(constant("application/octet-stream")),
    );
    headers.insert(header::CONTENT_DISPOSITION, disposition(&file.name));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, constant("nosniff"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        constant("default-src 'none'; sandbox"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        constant("private, max-age=3600, immutable"),
    );
    headers.insert("cross-origin-resource-policy", constant("same-site"));
}

/// The name twice: in ASCII for old clients, and as it is.
fn disposition(name: &FileName) -> HeaderValue {
    let plain: String = name
        .as_str()
        .chars()
        .map(|c| {
            if c.is_ascii() && !c.is_ascii_control() && !matches!(c, '"' | '\\' | '%') {
                c
            } else {
                '_'
            }
        })
        .collect();
    let exact = utf8_percent_encode(name.as_str(), NOT_ATTR_CHAR);
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}");
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_makes_a_safe_header() {
        for (name, expected) in [
            (
                "receipt.pdf",
                "attachment; filename=\"receipt.pdf\"; filename*=UTF-8''receipt.pdf",
            ),
            (
                "a\"b;c.txt",
                "attachment; filename=\"a_b;c.txt\"; filename*=UTF-8''a%22b%3Bc.txt",
            ),
            (
                "чек.pdf",
                "attachment; filename=\"___.pdf\"; filename*=UTF-8''%D1%87%D0%B5%D0%BA.pdf",
            ),
        ] {
            assert_eq!(
                disposition(&FileName::from_client(name)).to_str().expect("ASCII"),
                expected
            );
        }
    }
}
