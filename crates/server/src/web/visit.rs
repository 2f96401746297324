//! What a reader wants to see a page in, and which page it is.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use prilavok_pages::frame::Reader;
use prilavok_pages::{Frame, Language, Theme};

use super::cookie;

/// Asks for a part of a page instead of a whole one; our scripts send it.
pub(super) const PART: &str = "x-part";
/// The cookie that keeps the language.
pub(super) const LANGUAGE: &str = "prilavok-language";
/// The cookie that keeps the theme.
pub(super) const THEME: &str = "prilavok-theme";

/// What every handler knows of a request.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    /// The language that was chosen by hand, or that the browser asks for.
    pub(super) language: Language,
    /// Light or dark.
    pub(super) theme: Theme,
    /// Path and query of what was asked for.
    pub(super) here: String,
    /// Whether only a part of a page is wanted.
    pub(super) part: bool,
}

impl Visit {
    pub(super) fn of(parts: &Parts) -> Self {
        let headers = &parts.headers;
        let chosen = cookie::find(headers, LANGUAGE).and_then(Language::of_tag);
        let here = parts.uri.path_and_query().map_or("/ui/", |here| here.as_str());
        Self {
            language: chosen.or_else(|| accepted(headers)).unwrap_or_default(),
            theme: cookie::find(headers, THEME)
                .and_then(Theme::named)
                .unwrap_or_default(),
            here: here.to_owned(),
            part: headers.contains_key(PART),
        }
    }

    /// What is around the page.
    pub(super) fn frame(&self, reader: Option<Reader>) -> Frame {
        Frame {
            language: self.language,
            theme: self.theme,
            here: self.here.clone(),
            reader,
        }
    }
}

fn accepted(headers: &HeaderMap) -> Option<Language> {
    let header = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    Language::accepted(header)
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

/// Where to go back to: a path of ours, or nowhere.
pub(super) fn way_back(path: &str) -> Option<&str> {
    let inside = path == "/ui" || path.starts_with("/ui/") || path.starts_with("/ui?");
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (inside && plain).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_away_from_the_pages() {
        for (path, ours) in [
            ("/ui/", true),
            ("/ui/chats/1?status=NEW", true),
            ("/ui", true),
            ("/uix", false),
            ("//evil.example/ui/", false),
            ("https://evil.example/ui/", false),
            ("/ui/\r\nSet-Cookie: a=b", false),
            ("/\\evil.example", false),
            ("/docs/", false),
            ("", false),
        ] {
            assert_eq!(way_back(path).is_some(), ours, "{path}");
        }
    }
}
