//! Signing in and out. The secret is looked up once; the session keeps its hash.

use std::time::{Duration, Instant};

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use prilavok_pages::Audience;
use prilavok_pages::sign_in::{Hint, SignIn};

use super::cookie;
use super::error::WebError;
use super::form::{Fields, check_token};
use super::page::render;
use super::reader::{self, cookie_name};
use super::session::{self, By};
use super::visit::{Visit, way_back};
use crate::app::{App, SharedApp};
use crate::client_address::client_address;
use crate::secrets;
use crate::socket::Peer;

/// How long the answer to a wrong secret is held back.
const HELD_BACK: Duration = Duration::from_millis(500);

/// Where somebody is who tries to sign in.
pub(super) struct From(Option<std::net::IpAddr>);

impl FromRequestParts<SharedApp> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<Peer>().and_then(Peer::address);
        let proxies = &app.settings.server.trusted_proxies;
        Ok(Self(
            peer.map(|peer| client_address(peer, &parts.headers, proxies)),
        ))
    }
}

/// The query of the page.
pub(super) struct Asked {
    next: String,
    over: bool,
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let mut asked = Self {
            next: String::new(),
            over: false,
        };
        for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            match &*name {
                "next" => asked.next = value.into_owned(),
                "over" => asked.over = true,
                _ => {}
            }
        }
        Ok(asked)
    }
}

pub(super) async fn seller_page(visit: Visit, asked: Asked) -> Response {
    page(Audience::Seller, &visit, asked)
}

pub(super) async fn operator_page(visit: Visit, asked: Asked) -> Response {
    page(Audience::Operator, &visit, asked)
}

fn page(audience: Audience, visit: &Visit, asked: Asked) -> Response {
    let hint = asked.over.then_some(Hint::Over);
    shown(StatusCode::OK, audience, visit, hint, asked.next)
}

fn shown(
    status: StatusCode,
    audience: Audience,
    visit: &Visit,
    hint: Option<Hint>,
    next: String,
) -> Response {
    let mut frame = visit.frame(None);
    // After a form was sent: its address answers forms only.
    if !frame.here.starts_with(&format!("{}?", audience.sign_in())) {
        frame.here = audience.sign_in().to_owned();
    }
    let view = SignIn {
        frame,
        audience,
        hint,
        next,
    };
    render(status, &view)
}

pub(super) async fn seller(
    State(app): State<SharedApp>,
    visit: Visit,
    from: From,
    fields: Fields,
) -> Result<Response, WebError> {
    sign_in(&app, Audience::Seller, &visit, &from, &fields).await
}

pub(super) async fn operator(
    State(app): State<SharedApp>,
    visit: Visit,
    from: From,
    fields: Fields,
) -> Result<Response, WebError> {
    sign_in(&app, Audience::Operator, &visit, &from, &fields).await
}

async fn sign_in(
    app: &App,
    audience: Audience,
    visit: &Visit,
    from: &From,
    fields: &Fields,
) -> Result<Response, WebError> {
    let next = fields.get("next").to_owned();
    if !app.web.tries.may(from.0, Instant::now()) {
        let hint = Some(Hint::TooMany);
        return Ok(shown(StatusCode::TOO_MANY_REQUESTS, audience, visit, hint, next));
    }
    let secret = fields.get("secret").trim();
    match check(app, audience, secret).await? {
        Ok(()) => {
            let id = session::begin(&*app.store, secrets::hash(secret), session::now()).await?;
            let to = way_back(&next).unwrap_or(audience.home());
            let kept = cookie::session(cookie_name(audience), &id, app.settings.is_encrypted());
            Ok(([(header::SET_COOKIE, kept)], Redirect::to(to)).into_response())
        }
        Err(hint) => {
            app.web.tries.failed(from.0, Instant::now());
            tokio::time::sleep(HELD_BACK).await;
            Ok(shown(StatusCode::FORBIDDEN, audience, visit, Some(hint), next))
        }
    }
}

/// Whether one may sign in with a secret.
async fn check(app: &App, audience: Audience, secret: &str) -> Result<Result<(), Hint>, WebError> {
    let hash = secrets::hash(secret);
    match audience {
        Audience::Seller if secrets::check_api_key(secret).is_err() => Ok(Err(Hint::Unknown)),
        Audience::Seller => Ok(reader::seller(app, hash).await?.map(|_| ())),
        Audience::Operator if reader::operator(app, hash).await?.is_some() => Ok(Ok(())),
        Audience::Operator => Ok(Err(Hint::Unknown)),
    }
}

pub(super) async fn seller_out(
    State(app): State<SharedApp>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, WebError> {
    sign_out(&app, Audience::Seller, &headers, &fields).await
}

pub(super) async fn operator_out(
    State(app): State<SharedApp>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, WebError> {
    sign_out(&app, Audience::Operator, &headers, &fields).await
}

async fn sign_out(
    app: &App,
    audience: Audience,
    headers: &HeaderMap,
    fields: &Fields,
) -> Result<Response, WebError> {
    let session = reader::session(app, audience, headers, By::Hand).await?;
    check_token(&session, fields.get("csrf"))?;
    if let Some(id) = cookie::find(headers, cookie_name(audience)) {
        session::end(&*app.store, id).await?;
    }
    let forgotten = cookie::forget(cookie_name(audience), app.settings.is_encrypted());
    Ok((
        [(header::SET_COOKIE, forgotten)],
        Redirect::to(audience.sign_in()),
    )
        .into_response())
}
