//! Language and theme, chosen by hand. They are kept by the browser, and asked for before anybody signs in.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use prilavok_pages::{Audience, Language, Theme};

use super::cookie::choice;
use super::form::Fields;
use super::visit::{LANGUAGE, THEME, way_back};
use crate::app::SharedApp;

pub(super) async fn choose(State(app): State<SharedApp>, fields: Fields) -> Response {
    let secure = app.settings.is_encrypted();
    let mut headers = HeaderMap::new();
    if let Some(language) = Language::of_tag(fields.get("language")) {
        headers.append(header::SET_COOKIE, choice(LANGUAGE, language.code(), secure));
    }
    if let Some(theme) = Theme::named(fields.get("theme")) {
        headers.append(header::SET_COOKIE, choice(THEME, theme.as_str(), secure));
    }
    let back = way_back(fields.get("back")).unwrap_or(Audience::Seller.home());
    (headers, Redirect::to(back)).into_response()
}
