//! One line of action through the steps of a scenario. The steps themselves are one, and each rule that fires
//! begins another. A fiber is a stack of places in lists of steps and what it waits for: it has no task.

use std::collections::BTreeMap;

use prilavok_domain::Timestamp;
use prilavok_wire::time::Utc;
use serde_saphyr::Spanned;

use super::listening::{Chats, Thread};
use super::report::What;
use super::script::{Reply, Step, Steps};

/// A line of action.
pub(super) struct Fiber {
    frames: Vec<Frame>,
    wait: Option<Wait>,
    /// The message after which the partner's are answers, in chats that the fiber did not write into.
    origin: i64,
    /// And in those that it wrote into, or heard an answer in.
    since: BTreeMap<Thread, i64>,
}

struct Frame {
    steps: Steps,
    next: usize,
}

enum Wait {
    Until(Timestamp, u64),
    Reply(Box<Reply>, Thread, Timestamp, u64),
}

/// What a look at a wait found.
pub(super) enum Waited {
    /// There is nothing to wait for.
    Over,
    /// There is nothing to wait for any more, and this is to be told.
    OverWith(u64, What),
    /// There is.
    Still,
}

impl Fiber {
    /// A fiber that begins with the first of these steps; the partner's messages after `origin` are answers.
    pub(super) fn new(steps: Steps, origin: i64) -> Self {
        Self {
            frames: vec![Frame { steps, next: 0 }],
            wait: None,
            origin,
            since: BTreeMap::new(),
        }
    }

    /// Lets it wait.
    pub(super) fn wait_until(&mut self, at: Timestamp, line: u64) {
        self.wait = Some(Wait::Until(at, line));
    }

    /// Lets it wait for the partner.
    pub(super) fn wait_for_reply(&mut self, reply: &Reply, now: Timestamp, line: u64) {
        let thread = Thread::new(&reply.about.value, reply.dispute);
        let until = now.plus_millis(reply.within.millis());
        self.wait = Some(Wait::Reply(Box::new(reply.clone()), thread, until, line));
    }

    /// The partner's messages after this one are answers from now on.
    pub(super) fn spoke(&mut self, thread: Thread, message: i64) {
        self.since.insert(thread, message);
    }

    /// Looks whether it has still to wait; what follows an answer or a time-out becomes its next steps.
    pub(super) fn look(&mut self, chats: &Chats, now: Timestamp) -> Waited {
        let (told, next) = match &self.wait {
            None => return Waited::Over,
            Some(Wait::Until(at, _)) if now < *at => return Waited::Still,
            Some(Wait::Until(..)) => (None, None),
            Some(Wait::Reply(reply, thread, until, line)) => {
                let since = self.since.get(thread).copied().unwrap_or(self.origin);
                let answer = chats.heard_after(thread, since).find(|heard| {
                    heard.at <= *until
                        && reply
                            .matching
                            .as_ref()
                            .is_none_or(|pattern| heard.text.as_ref().is_some_and(|text| pattern.is_in(text)))
                });
                match answer {
                    Some(answer) => {
                        self.since.insert(thread.clone(), answer.id.get());
                        (None, Some(reply.then.clone()))
                    }
                    None if now < *until => return Waited::Still,
                    None => {
                        let what = What::NoReply {
                            about: reply.about.value.clone(),
                            dispute: reply.dispute,
                        };
                        (Some((*line, what)), Some(reply.otherwise.clone()))
                    }
                }
            }
        };
        self.wait = None;
        self.frames.extend(next.map(|steps| Frame { steps, next: 0 }));
        told.map_or(Waited::Over, |(line, what)| Waited::OverWith(line, what))
    }

    /// The next step; `None` at the end.
    pub(super) fn step(&mut self) -> Option<Spanned<Step>> {
        while let Some(frame) = self.frames.last() {
            if let Some(step) = frame.steps.0.get(frame.next) {
                return Some(step.clone());
            }
            self.frames.pop();
        }
        None
    }

    /// The next step is done.
    pub(super) fn advance(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.next += 1;
        }
    }

    /// When it has something to do by the clock alone; `None` if that is now.
    pub(super) fn due(&self) -> Option<Timestamp> {
        match &self.wait {
            None => None,
            Some(Wait::Until(at, _) | Wait::Reply(_, _, at, _)) => Some(*at),
        }
    }

    /// What it waits for, in words.
    pub(super) fn waiting(&self) -> Option<String> {
        Some(match self.wait.as_ref()? {
            Wait::Until(at, line) => format!("line {line}: until {}", Utc(*at)),
            Wait::Reply(reply, thread, until, line) => {
                let matching = reply.matching.as_ref();
                let matching = matching.map_or(String::new(), |pattern| format!(" matching `{pattern}`"));
                format!(
                    "line {line}: for an answer{matching} in {thread}, until {}",
                    Utc(*until)
                )
            }
        })
    }
}
