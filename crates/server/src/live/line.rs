//! The wire from the hub to one stream: a few flags and a waker. No events pass through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use prilavok_domain::BusinessId;

use super::hub::Hub;
use crate::metrics::OpenGuard;
use crate::socket::Peer;

/// Whom a stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// A seller's system, which sees its own business.
    Seller(BusinessId),
    /// Buyers, each of whom sees their own chats of one business.
    BuyersOf(BusinessId),
    /// The marketplace's backend, looking at one business.
    OperatorOf(BusinessId),
    /// The marketplace's backend, looking at all of them.
    Operator,
}

impl Audience {
    /// The surface that it comes through, as metrics name it.
    #[must_use]
    pub const fn surface(self) -> &'static str {
        match self {
            Self::Seller(_) => "partner",
            Self::BuyersOf(_) => "buyer",
            Self::OperatorOf(_) | Self::Operator => "operator",
        }
    }
}

/// What a stream was woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Calls(u8);

impl Calls {
    /// There may be new events.
    pub(super) const NEWS: Self = Self(1);
    /// Nothing was sent for a while.
    pub(super) const BEAT: Self = Self(2);
    /// The server stops.
    pub(super) const CLOSE: Self = Self(4);

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn has(self, call: Self) -> bool {
        self.0 & call.0 != 0
    }
}

/// The wire to one stream.
pub(super) struct Line {
    calls: AtomicU8,
    /// The hub's second in which something was sent last.
    pub(super) sent_at: AtomicU32,
    waker: AtomicWaker,
    /// The other end of the connection, where there is a real one.
    pub(super) peer: Option<Peer>,
}

impl Line {
    pub(super) fn new(peer: Option<Peer>, second: u32) -> Self {
        Self {
            // What happened while the stream was being opened is news to it.
            calls: AtomicU8::new(Calls::NEWS.0),
            sent_at: AtomicU32::new(second),
            waker: AtomicWaker::new(),
            peer,
        }
    }

    /// Calls the stream; a stream that was called for the same already and did not come yet is left alone.
    pub(super) fn call(&self, call: Calls) {
        if self.calls.fetch_or(call.0, Ordering::AcqRel) & call.0 == 0 {
            self.waker.wake();
        }
    }

    /// What the stream was called for since it last asked; later calls wake `waker`.
    pub(super) fn take(&self, waker: &Waker) -> Calls {
        self.waker.register(waker);
        Calls(self.calls.swap(0, Ordering::AcqRel))
    }
}

/// An open stream's place in the hub, given back when dropped.
pub struct Place {
    pub(super) hub: Arc<Hub>,
    pub(super) audience: Audience,
    pub(super) number: u64,
    pub(super) line: Arc<Line>,
    pub(super) _counted: OpenGuard,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hub.leave(self.audience, self.number);
    }
}
