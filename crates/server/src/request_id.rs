//! The id of a request, by which its log lines are found.

use std::sync::Arc;

/// The id of a request: in the answer's `X-Request-Id` header and in each log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub Arc<str>);
