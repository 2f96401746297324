//! One stream: the body of an answer that goes on until one side ends it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body::{Body, Frame};
use prilavok_domain::BusinessId;
use prilavok_store::{CustomerEvents, Result};
use prilavok_wire::live;

use super::line::{Calls, Place};
use super::start::Start;
use super::{Permit, business};
use crate::app::App;

/// Events that one read of the store yields: some 15 KB of text, which a connection takes before it is asked whether
/// it has room for more.
const PAGE: usize = 100;

/// One stream.
pub(super) struct EventStream {
    watch: Arc<Watch>,
    place: Place,
    /// The last event that was shown.
    after: i64,
    opening: Option<Bytes>,
    /// A look into the store that is under way; there is none while the stream sleeps.
    look: Option<BoxFuture<'static, Found>>,
    /// Whether a sign of life is due.
    silent: bool,
}

/// What looks into the store need.
struct Watch {
    app: Arc<App>,
    permit: Box<dyn Permit>,
}

/// What a look into the store found; `None`: the stream must end.
type Found = Option<CustomerEvents>;

impl Watch {
    async fn events(&self, business: Option<BusinessId>, after: i64) -> Result<CustomerEvents> {
        let store = &self.app.store;
        if let (Some(business), Some(only)) = (business, self.permit.only()) {
            return store.customer_events(business, only, after, PAGE).await;
        }
        let events = store.events(business, after, PAGE).await?;
        Ok(CustomerEvents {
            seen: events.last().map_or(after, |last| last.id.get()),
            more: events.len() == PAGE,
            events,
        })
    }
}

impl EventStream {
    pub(super) fn new(app: Arc<App>, place: Place, permit: Box<dyn Permit>, start: &Start) -> Self {
        Self {
            watch: Arc::new(Watch { app, permit }),
            place,
            after: start.after,
            opening: Some(live::opening(start.after, start.gap.as_ref()).into()),
            look: None,
            silent: false,
        }
    }

    /// Looks for the next page, which is shown if whoever reads may still do so. That is asked last: what was written after the
    /// permission had ended may be on the page.
    fn look(&self) -> BoxFuture<'static, Found> {
        let (watch, of, after) = (Arc::clone(&self.watch), self.place.audience, self.after);
        Box::pin(async move {
            let found = match watch.events(business(of), after).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(%error, "a stream of events ended: the store could not be read");
                    return None;
                }
            };
            watch.permit.holds(&watch.app).await.then_some(found)
        })
    }

    /// The text of a page; empty where it has nothing on it.
    fn shown(&mut self, found: &CustomerEvents) -> Vec<u8> {
        let mut text = Vec::new();
        for event in &found.events {
            live::write_event(&mut text, event);
        }
        self.after = found.seen;
        if found.more {
            self.place.line.call(Calls::NEWS);
        }
        text
    }

    fn send(
        &mut self,
        text: impl Into<Bytes>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Infallible>>> {
        self.silent = false;
        let second = self.place.hub.now();
        self.place.line.sent_at.store(second, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(text.into()))))
    }
}

impl Body for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        if let Some(opening) = this.opening.take() {
            return this.send(opening);
        }
        if this
            .place
            .line
            .peer
            .as_ref()
            .is_some_and(|peer| peer.has_left(cx))
        {
            return Poll::Ready(None);
        }
        loop {
            if let Some(look) = &mut this.look {
                let found = ready!(look.as_mut().poll(cx));
                this.look = None;
                let Some(found) = found else {
                    return Poll::Ready(None);
                };
                let text = this.shown(&found);
                if !text.is_empty() {
                    return this.send(text);
                }
                if this.silent {
                    return this.send(live::HEARTBEAT);
                }
            }
            let calls = this.place.line.take(cx.waker());
            if calls.has(Calls::CLOSE) {
                return Poll::Ready(None);
            }
            if calls.is_empty() {
                return Poll::Pending;
            }
            this.silent |= calls.has(Calls::BEAT);
            this.look = Some(this.look());
        }
    }
}
