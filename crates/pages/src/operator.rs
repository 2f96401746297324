//! Where the marketplace's people arrive.

use askama::Template;

use crate::frame::Frame;

/// The page.
#[derive(Template)]
#[template(path = "operator.html")]
pub struct OperatorHome {
    /// What is around it.
    pub frame: Frame,
}
