//! One line for each request. Paths are logged without their query: links to files are signed there.

use std::time::Duration;

use http::{Method, StatusCode};
use prilavok_domain::BusinessId;

use crate::overload::Shed;
use crate::request_id::RequestId;
use crate::settings::LoggedRequests;

/// What a line says.
pub struct Line<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path without its query.
    pub path: &'a str,
    /// The operation, where the path names one.
    pub operation: &'a str,
    /// The caller's business, where a surface found it out.
    pub business: Option<BusinessId>,
    /// The answer's status.
    pub status: StatusCode,
    /// From the request's head to the answer's.
    pub took: Duration,
    /// The request's id.
    pub id: &'a RequestId,
}

/// Logs the request if the settings ask for it. Those that were turned away are counted, and not failures to be logged:
/// when there is too much to do, thousands of lines a second would be still more.
pub fn write(wanted: LoggedRequests, line: &Line<'_>, shed: Option<Shed>) {
    let failed = shed.is_none() && (line.status.is_client_error() || line.status.is_server_error());
    let logged = match wanted {
        LoggedRequests::All => true,
        LoggedRequests::Failed => failed,
        LoggedRequests::None => false,
    };
    if !logged {
        return;
    }
    let duration_ms = (line.took.as_secs_f64() * 1e6).round() / 1e3;
    macro_rules! log_at {
        ($level:ident) => {
            tracing::$level!(
                method = %line.method,
                path = line.path,
                operation = line.operation,
                business = line.business.map(BusinessId::get),
                status = line.status.as_u16(),
                duration_ms,
                request_id = &*line.id.0,
                "request"
            )
        };
    }
    if line.status.is_server_error() {
        log_at!(error);
    } else {
        log_at!(info);
    }
}
