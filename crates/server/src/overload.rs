//! More than the server can do: who is turned away, and how it is noticed.
//!
//! Requests wait where nobody sees them: their bytes have come, their connection's task was woken, and stands in the
//! runtime's queue behind others. [`Line`] counts those tasks. A request that found too many before it is turned away
//! when its turn comes, which costs a fraction of an answer; so what is answered has never waited for more than that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use http::HeaderValue;

/// How long the answer of one who is turned away is held back. A client that asks again at once, as many do, would
/// otherwise keep the server busy with nothing but refusals.
pub(crate) const HELD_BACK: Duration = Duration::from_millis(250);
/// When a client may try again, in seconds.
pub(crate) const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Left in the answer to a request that was turned away: what there was too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shed {
    /// Requests that waited for their turn.
    Requests,
    /// Writes that waited to be committed.
    Writes,
}

impl Shed {
    /// All reasons.
    pub(crate) const ALL: [Self; 2] = [Self::Requests, Self::Writes];

    /// As the measures name it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Writes => "writes",
        }
    }
}

/// Whether a request is answered however many wait: by these, others see what is going on.
pub(crate) fn is_always_answered(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics")
}

/// The connections of a server that wait for their turn.
pub(crate) struct Line {
    waiting: AtomicUsize,
    most: usize,
    /// Requests that are being answered.
    under_way: AtomicUsize,
}

impl Line {
    /// Whoever finds `most` before it is late.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            waiting: AtomicUsize::new(0),
            most,
            under_way: AtomicUsize::new(0),
        })
    }
}

/// What a connection is doing.
mod state {
    /// It has its turn.
    pub(super) const SERVED: u8 = 0;
    /// It waits for its client.
    pub(super) const IDLE: u8 = 1;
    /// Its client sent something, and it waits for its turn.
    pub(super) const WAITING: u8 = 2;
}

/// A connection's place in the line. It is woken through this, so that it is known from when on it waits.
pub(crate) struct Place {
    line: Arc<Line>,
    state: AtomicU8,
    late: AtomicBool,
    task: AtomicWaker,
}

impl Place {
    /// The place of a new connection, which waits for its first turn.
    pub(crate) fn new(line: &Arc<Line>) -> Arc<Self> {
        let place = Arc::new(Self {
            line: Arc::clone(line),
            state: AtomicU8::new(state::IDLE),
            late: AtomicBool::new(false),
            task: AtomicWaker::new(),
        });
        place.stand_in_line();
        place
    }

    /// Another place in the same line, for one of many requests that come on the connection.
    pub(crate) fn another(&self) -> Arc<Self> {
        Self::new(&self.line)
    }

    /// The connection has its turn.
    pub(crate) fn turn(&self) {
        if self.state.swap(state::SERVED, Ordering::AcqRel) == state::WAITING {
            self.line.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// It is about to ask for more of its client, and to be woken by `waker` when something comes.
    pub(crate) fn ask(&self, cx: &Context<'_>) {
        self.task.register(cx.waker());
        // Something may have come since it asked last in the same turn: it is being served all the same.
        if self.state.swap(state::IDLE, Ordering::AcqRel) == state::WAITING {
            self.line.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether what came last came too late; the next one is another matter.
    pub(crate) fn was_late(&self) -> bool {
        self.late.swap(false, Ordering::Relaxed)
    }

    /// Whether what came last came too late, with all that came in it.
    pub(crate) fn is_late(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }

    /// A request on this connection is answered from now on.
    pub(crate) fn begin_answer(&self) -> UnderWay {
        self.line.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(&self.line))
    }

    fn stand_in_line(&self) {
        if self.state.load(Ordering::Relaxed) != state::IDLE {
            return;
        }
        // Counted before the place shows it: it may have its turn in the next moment, and is taken off the count then.
        let before = self.line.waiting.fetch_add(1, Ordering::Relaxed);
        let idle =
            self.state
                .compare_exchange(state::IDLE, state::WAITING, Ordering::AcqRel, Ordering::Relaxed);
        match idle {
            Ok(_) => self.late.store(before >= self.line.most, Ordering::Relaxed),
            Err(_) => {
                self.line.waiting.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

impl Wake for Place {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.stand_in_line();
        self.task.wake();
    }
}

/// A request is being answered until this is dropped.
pub(crate) struct UnderWay(Arc<Line>);

impl UnderWay {
    /// Whether no other is, and none waits for its turn.
    pub(crate) fn is_alone(&self) -> bool {
        let Line {
            waiting, under_way, ..
        } = &*self.0;
        under_way.load(Ordering::Relaxed) <= 1 && waiting.load(Ordering::Relaxed) == 0
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A place that is left when its connection ends.
pub(crate) struct Standing {
    pub(crate) place: Arc<Place>,
    pub(crate) waker: Waker,
}

impl Standing {
    pub(crate) fn new(place: Arc<Place>) -> Self {
        let waker = Waker::from(Arc::clone(&place));
        Self { place, waker }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.place.turn();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(line: &Line) -> usize {
        line.waiting.load(Ordering::Relaxed)
    }

    #[test]
    fn who_finds_too_many_before_it_is_late_once() {
        let line = Line::new(2);
        let all: Vec<_> = (0..4).map(|_| Standing::new(Place::new(&line))).collect();
        assert_eq!(waiting(&line), 4);
        all.iter().for_each(|one| one.place.turn());
        assert_eq!(waiting(&line), 0);
        let late: Vec<_> = all.iter().map(|one| one.place.was_late()).collect();
        assert_eq!(late, [false, false, true, true]);
        assert!(!all[3].place.was_late());
    }

    #[test]
    fn a_connection_waits_once_however_often_it_is_woken_and_not_when_it_has_ended() {
        let line = Line::new(1);
        let one = Standing::new(Place::new(&line));
        one.place.turn();
        one.waker.wake_by_ref();
        assert_eq!(waiting(&line), 0, "it has its turn");
        one.place.ask(&Context::from_waker(Waker::noop()));
        one.waker.wake_by_ref();
        one.waker.wake_by_ref();
        assert_eq!(waiting(&line), 1);
        let waker = one.waker.clone();
        drop(one);
        waker.wake();
        assert_eq!(waiting(&line), 0);
    }

    #[test]
    fn an_answer_is_alone_while_nobody_else_is_answered_or_waits() {
        let line = Line::new(9);
        let [one, other] = [(); 2].map(|()| Standing::new(Place::new(&line)));
        one.place.turn();
        let answer = one.place.begin_answer();
        assert!(!answer.is_alone(), "the other waits");
        other.place.turn();
        assert!(answer.is_alone());
        let of_the_other = other.place.begin_answer();
        assert!(!answer.is_alone() && !of_the_other.is_alone());
        drop(of_the_other);
        assert!(answer.is_alone());
    }

    #[test]
    fn who_asks_twice_in_a_turn_does_not_stay_in_the_line() {
        let line = Line::new(1);
        let one = Standing::new(Place::new(&line));
        one.place.turn();
        let cx = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            one.place.ask(&cx);
            one.waker.wake_by_ref();
            one.place.ask(&cx);
            one.place.turn();
            assert_eq!(waiting(&line), 0);
        }
    }

    #[test]
    fn who_has_its_turn_while_it_is_being_woken_was_counted_before() {
        const TURNS: usize = 3_000_000;
        let line = Line::new(2);
        let one = &Standing::new(Place::new(&line));
        let late = std::thread::scope(|scope| {
            let serving = scope.spawn(|| {
                let cx = Context::from_waker(Waker::noop());
                for _ in 0..TURNS {
                    one.place.turn();
                    one.place.ask(&cx);
                }
            });
            let mut late = 0;
            while !serving.is_finished() {
                one.waker.wake_by_ref();
                late += usize::from(one.place.was_late());
            }
            late
        });
        assert_eq!(late, 0, "alone in the line, and late");
    }
}
