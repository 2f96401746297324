//! Query parameters: each one read by its rule, and those that the operation does not know refused, so
//! that a mistyped filter does not pass for none.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{RefOr, Required, Schema};

use super::error::{ApiError, Problem};
use crate::app::SharedApp;

/// The most values that one filter may have.
const MAX_VALUES: usize = 100;

/// What an operation reads from the query.
pub(crate) trait FromQuery: Sized + Send {
    /// Reads the parameters; `None` where a problem was noted.
    fn from_query(query: &mut Parameters<'_>) -> Option<Self>;
}

/// The query of a request.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: FromQuery> FromRequestParts<SharedApp> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &SharedApp) -> Result<Self, ApiError> {
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).collect();
        let mut query = Parameters {
            pairs,
            asked: Vec::new(),
            problems: Vec::new(),
        };
        let read = T::from_query(&mut query);
        query.refuse_unknown();
        match read {
            Some(read) if query.problems.is_empty() => Ok(Self(read)),
            _ => Err(ApiError::invalid(query.problems)),
        }
    }
}

/// The parameters of a query.
pub(crate) struct Parameters<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    asked: Vec<&'static str>,
    problems: Vec<Problem>,
}

impl Parameters<'_> {
    /// A parameter that may be given once; the outer `None` is for one that is wrong.
    pub(crate) fn one<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        self.asked.push(name);
        let mut values = self
            .pairs
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value);
        let problem = match (values.next(), values.next()) {
            (None, _) => return Some(None),
            (Some(value), None) => match read(value) {
                Ok(value) => return Some(Some(value)),
                Err(problem) => problem,
            },
            _ => "must be given once".to_owned(),
        };
        self.problems.push(Problem::new(name, problem));
        None
    }

    /// A parameter that may be given several times, or with several values between commas.
    pub(crate) fn many<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        self.asked.push(name);
        let values = self.pairs.iter().filter(|(key, _)| key == name);
        let texts: Vec<&str> = values.flat_map(|(_, value)| value.split(',')).collect();
        if texts.len() > MAX_VALUES {
            self.problems.push(Problem::new(
                name,
                format!("must have at most {MAX_VALUES} values"),
            ));
            return None;
        }
        match texts.into_iter().map(|text| read(text.trim())).collect() {
            Ok(values) => Some(values),
            Err(problem) => {
                self.problems.push(Problem::new(name, problem));
                None
            }
        }
    }

    fn refuse_unknown(&mut self) {
        for (name, _) in &self.pairs {
            if !self.asked.contains(&name.as_ref()) && self.problems.len() < MAX_VALUES {
                let name: String = name.chars().take(100).collect();
                self.problems
                    .push(Problem::new(name, "is not a parameter of this operation"));
            }
        }
    }
}

/// How the API's document describes a parameter of the query.
pub(crate) fn parameter(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}
