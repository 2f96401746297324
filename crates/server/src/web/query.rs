//! What the address of a page asks for.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use prilavok_domain::Timestamp;
use prilavok_pages::operator::Pager;

/// The query of an address.
pub(super) struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        Ok(Self(form_urlencoded::parse(query).into_owned().collect()))
    }
}

impl Query {
    /// The value of a parameter, trimmed; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(it, _)| it == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// The way through a list at `path` whose pages are asked for by the parameter `place`.
    pub(super) fn pager(&self, path: &str, place: &str, filters: &[&str], next: Option<&str>) -> Pager {
        let address = |at: Option<&str>| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            for name in filters {
                if !self.get(name).is_empty() {
                    query.append_pair(name, self.get(name));
                }
            }
            if let Some(at) = at {
                query.append_pair(place, at);
            }
            match query.finish() {
                query if query.is_empty() => path.to_owned(),
                query => format!("{path}?{query}"),
            }
        };
        Pager {
            first: address(None),
            is_first: self.get(place).is_empty(),
            next: next.map(|next| address(Some(next))),
        }
    }
}

/// What a field for a date and a time holds, which is UTC: `2026-11-25T13:00`.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let at = text.parse::<jiff::civil::DateTime>().ok()?;
    let at = jiff::tz::Offset::UTC.to_timestamp(at).ok()?;
    Timestamp::from_millis(at.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_utc() {
        let millis = |text| instant(text).map(Timestamp::as_millis);
        assert_eq!(millis("2017-11-21T00:00"), Some(1_511_222_400_000));
        assert_eq!(millis("2017-11-21T00:00:01"), Some(1_511_222_401_000));
        for text in ["", "yesterday", "-009999-01-01T00:00"] {
            assert_eq!(millis(text), None, "{text}");
        }
    }

    #[test]
    fn a_pager_keeps_what_is_asked_for() {
        let query = Query(vec![
            ("status".to_owned(), "4xx".to_owned()),
            ("operation".to_owned(), String::new()),
            ("before".to_owned(), "9".to_owned()),
        ]);
        let pager = query.pager("/x", "before", &["status", "operation"], Some("7"));
        assert_eq!(pager.first, "/x?status=4xx");
        assert_eq!(pager.next.as_deref(), Some("/x?status=4xx&before=7"));
        assert!(!pager.is_first);
    }
}
