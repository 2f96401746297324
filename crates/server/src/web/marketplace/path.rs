//! What the address of a page names.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use prilavok_domain::BusinessId;

use crate::app::SharedApp;
use crate::web::error::WebError;

/// A business.
pub(in crate::web) struct InBusiness(pub(in crate::web) BusinessId);

impl FromRequestParts<SharedApp> for InBusiness {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, WebError> {
        let Path((business,)) = Path::<(i64,)>::from_request_parts(parts, app)
            .await
            .map_err(|_| WebError::NotFound)?;
        BusinessId::new(business)
            .map(Self)
            .map_err(|_| WebError::NotFound)
    }
}

/// Something of a business.
pub(in crate::web) struct Inside<I>(pub(in crate::web) BusinessId, pub(in crate::web) I);

impl<I: TryFrom<i64> + Send> FromRequestParts<SharedApp> for Inside<I> {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, WebError> {
        let Path((business, id)) = Path::<(i64, i64)>::from_request_parts(parts, app)
            .await
            .map_err(|_| WebError::NotFound)?;
        let business = BusinessId::new(business).map_err(|_| WebError::NotFound)?;
        I::try_from(id)
            .map(|id| Self(business, id))
            .map_err(|_| WebError::NotFound)
    }
}
