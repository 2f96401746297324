//! Live events: streams of what happens in chats, for sellers' systems and for the marketplace's backend.
//!
//! A stream holds no events. It knows the last one that it showed, and reads the next page from the store when it is
//! woken and its connection has room: a reader that does not read costs a stream's few hundred bytes. Waking is the
//! [`hub`]'s work, one for the server; [`line`] is the wire between the two, [`start`] finds where a stream begins.

mod hub;
mod line;
mod start;
mod stream;

use std::convert::Infallible;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, header};
use bytes::Bytes;
use prilavok_domain::BusinessId;
use prilavok_store::CustomerChats;
use prilavok_wire::live;

pub use hub::Hub;
pub use line::{Audience, Place};
pub use start::Start;

use crate::app::App;
use stream::EventStream;

/// Whether whoever opened a stream may go on reading it: asked again before anything is sent, since a stream outlives
/// keys that are revoked and businesses that are switched off.
#[async_trait]
pub trait Permit: Send + Sync + 'static {
    /// Whether it still holds. A store that cannot tell is a no: the client connects anew and is told why.
    async fn holds(&self, app: &App) -> bool;

    /// The only chats that whoever reads may see; `None`: all of the business.
    fn only(&self) -> Option<&CustomerChats> {
        None
    }
}

/// The answer that a stream is.
pub fn answer(app: &Arc<App>, place: Place, permit: impl Permit, start: &Start) -> Response<Body> {
    let mut response = head();
    *response.body_mut() = Body::new(EventStream::new(Arc::clone(app), place, Box::new(permit), start));
    response
}

/// The head of such an answer, without a stream: what HEAD is answered.
pub fn head() -> Response<Body> {
    // Of unknown length, as the stream's.
    let nothing = futures_util::stream::empty::<Result<Bytes, Infallible>>();
    let mut response = Response::new(Body::from_stream(nothing));
    response.headers_mut().extend([
        (header::CONTENT_TYPE, HeaderValue::from_static(live::MEDIA_TYPE)),
        // Proxies that collect answers before they pass them on would hold events back.
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ]);
    response
}

/// The business whose events a stream shows; `None`: of all.
const fn business(audience: Audience) -> Option<BusinessId> {
    match audience {
        Audience::Seller(business) | Audience::BuyersOf(business) | Audience::OperatorOf(business) => {
            Some(business)
        }
        Audience::Operator => None,
    }
}
