//! A view as an answer.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prilavok_pages::Template;

use super::error::WebError;

/// A view, rendered when it is answered.
pub(super) struct Page<T>(pub(super) T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        render(StatusCode::OK, &self.0)
    }
}

/// Renders a view.
pub(super) fn render(status: StatusCode, view: &impl Template) -> Response {
    match view.render() {
        Ok(html) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err(error) => WebError::internal(error).into_response(),
    }
}
