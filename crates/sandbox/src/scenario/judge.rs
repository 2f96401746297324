//! Whether the partner does what is expected of it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use prilavok_domain::event::Outcome;
use prilavok_domain::{BusinessId, ChatId, ChatStatus, Event, Sender, Timestamp};
use prilavok_server::app::App;
use prilavok_store::AttemptFilter;
use prilavok_wire::time::Utc;

use super::acts::Stage;
use super::listening::{News, Thread};
use super::report::Verdict;
use super::script::{Acknowledged, Answered, Expectation, Said, StatusIs};

/// Lines of the delivery log read at a time.
const PAGE: usize = 100;

/// One expectation's judge.
pub(super) struct Judge {
    /// Which of the scenario's expectations it is.
    number: usize,
    pub(super) verdict: Verdict,
    /// What is to be done in time and is not done yet: messages or events by id.
    open: BTreeMap<i64, Open>,
    /// The open messages of each chat.
    by_chat: HashMap<ChatId, Vec<i64>>,
    /// Deliveries in the log of which no event was heard yet, and the last line that was read.
    early: HashMap<i64, Timestamp>,
    read: i64,
    /// What the partner said so often.
    said: u32,
}

#[derive(Clone, Copy)]
struct Open {
    chat: ChatId,
    at: Timestamp,
}

impl Judge {
    pub(super) fn new(number: usize) -> Self {
        Self {
            number,
            verdict: Verdict::Pending,
            open: BTreeMap::new(),
            by_chat: HashMap::new(),
            early: HashMap::new(),
            read: 0,
            said: 0,
        }
    }

    /// The expectation that it judges.
    pub(super) fn expectation<'a>(&self, stage: &'a Stage) -> (u64, &'a Expectation) {
        let expectation = &stage.scenario.script.expect[self.number];
        (expectation.referenced.line(), &expectation.value)
    }

    pub(super) fn is_pending(&self) -> bool {
        self.verdict == Verdict::Pending
    }

    /// Takes note of what happened.
    pub(super) fn hear(&mut self, stage: &Stage, news: &News) {
        if !self.is_pending() {
            return;
        }
        match self.expectation(stage).1 {
            Expectation::Answered(it) => self.hear_answer(it, news),
            Expectation::Acknowledged(it) if it.kind.0 == news.event.kind => {
                self.hear_event(it, news.event);
            }
            Expectation::Partner(it) => self.hear_partner(it, news),
            Expectation::Acknowledged(_) | Expectation::Status(_) => {}
        }
    }

    fn hear_answer(&mut self, it: &Answered, news: &News) {
        if !news
            .place
            .is_meant(it.about.as_ref().map(|about| about.value.as_str()), it.dispute)
        {
            return;
        }
        let chat = news.event.chat;
        if let Some(asked) = news.message_of(Sender::Customer) {
            let (id, at) = (asked.id.get(), asked.created_at);
            self.open.insert(id, Open { chat, at });
            self.by_chat.entry(chat).or_default().push(id);
        } else if let Some(answer) = news.message_of(Sender::Partner) {
            for id in self.by_chat.remove(&chat).unwrap_or_default() {
                let asked = self.open.remove(&id);
                let asked = asked.filter(|asked| late(asked.at, answer.created_at, it.within.millis()));
                if let Some(asked) = asked {
                    let (asked, answered) = (Utc(asked.at), Utc(answer.created_at));
                    self.fail(format!(
                        "the message of {asked} in chat {chat} was answered only at {answered}"
                    ));
                }
            }
        }
    }

    fn hear_event(&mut self, it: &Acknowledged, event: Event) {
        let open = Open {
            chat: event.chat,
            at: event.at,
        };
        match self.early.remove(&event.id.get()) {
            Some(accepted) => self.accepted(it, open, accepted),
            None => _ = self.open.insert(event.id.get(), open),
        }
    }

    fn hear_partner(&mut self, it: &Said, news: &News) {
        let Some(message) = news.message_of(Sender::Partner) else {
            return;
        };
        let text = message.text.as_ref().map(|text| text.as_str());
        let matches = it.matching.as_ref();
        let matches = matches.is_none_or(|pattern| text.is_some_and(|text| pattern.is_in(text)));
        let about = it.about.as_ref().map(|about| about.value.as_str());
        if !matches || !news.place.is_meant(about, it.dispute) {
            return;
        }
        self.said += 1;
        match it.times {
            None => self.verdict = Verdict::Met,
            Some(times) if self.said > times => {
                self.fail(format!(
                    "the partner said it {} times, the last time in chat {}",
                    self.said, news.event.chat
                ));
            }
            Some(_) => {}
        }
    }

    /// Decides what can be decided by now; `over` says that no step is to come.
    pub(super) async fn settle(&mut self, stage: &Stage, now: Timestamp, over: bool) -> anyhow::Result<()> {
        if !self.is_pending() {
            return Ok(());
        }
        match self.expectation(stage).1 {
            Expectation::Answered(it) => {
                self.settle_answers(it, stage, now).await?;
                self.met_if(over && self.open.is_empty());
            }
            Expectation::Acknowledged(it) => {
                if !self.open.is_empty() {
                    self.read_log(it, &stage.app, stage.cast.business).await?;
                }
                if let Some((_, open)) = self.open.first_key_value()
                    && now >= open.at.plus_millis(it.within.millis())
                    && self.is_pending()
                {
                    let (at, chat) = (Utc(open.at), open.chat);
                    let subscribed = stage.app.store.subscriptions(stage.cast.business).await?;
                    let reason = if subscribed.iter().any(|it| it.disabled.is_none()) {
                        "in time"
                    } else {
                        "at all: no subscription is enabled"
                    };
                    self.fail(format!(
                        "the event of {at} in chat {chat} was not accepted {reason}"
                    ));
                }
                self.met_if(over && self.open.is_empty());
            }
            Expectation::Status(it) if over => self.verdict = status(it, stage).await?,
            Expectation::Partner(it) if over => match it.times {
                Some(times) if self.said == times => self.verdict = Verdict::Met,
                Some(_) => self.fail(format!("the partner said it {} times", self.said)),
                None => self.fail("the partner never said it".to_owned()),
            },
            Expectation::Status(_) | Expectation::Partner(_) => {}
        }
        Ok(())
    }

    /// Messages whose time is up: those of a finished chat need no answer.
    async fn settle_answers(&mut self, it: &Answered, stage: &Stage, now: Timestamp) -> anyhow::Result<()> {
        while self.is_pending()
            && let Some((id, open)) = self.open.first_key_value()
            && now >= open.at.plus_millis(it.within.millis())
        {
            let (id, open) = (*id, *open);
            let chat = stage.app.store.chat(stage.cast.business, open.chat).await?;
            if chat.is_some_and(|chat| chat.status != ChatStatus::Finished) {
                let at = Utc(open.at);
                self.fail(format!(
                    "the message of {at} in chat {} was not answered in time",
                    open.chat
                ));
            }
            self.open.remove(&id);
        }
        Ok(())
    }

    /// The scenario has finished a chat: what was said in it up to `last` needs no answer.
    pub(super) fn finished(&mut self, chat: ChatId, last: i64) {
        if let Some(asked) = self.by_chat.get_mut(&chat) {
            for id in asked.extract_if(.., |id| *id <= last) {
                self.open.remove(&id);
            }
        }
    }

    /// Reads what the delivery log has had since it was read last.
    async fn read_log(&mut self, it: &Acknowledged, app: &App, business: BusinessId) -> anyhow::Result<()> {
        let filter = AttemptFilter {
            outcome: Some(Outcome::Delivered),
            ..AttemptFilter::default()
        };
        let read = self.read;
        let (mut before, mut newest) = (None, read);
        loop {
            let page = app.store.attempts(business, filter, before, PAGE).await?;
            let more = page.more && page.items.last().is_some_and(|line| line.id > read);
            for line in page.items.iter().take_while(|line| line.id > read) {
                newest = newest.max(line.id);
                before = Some(line.id);
                if line.event.kind != it.kind.0 {
                    continue;
                }
                let accepted = line.attempt.at.plus_millis(line.attempt.duration_ms.into());
                match self.open.remove(&line.event.id.get()) {
                    Some(open) => self.accepted(it, open, accepted),
                    None => _ = self.early.insert(line.event.id.get(), accepted),
                }
            }
            if !more {
                self.read = newest;
                return Ok(());
            }
        }
    }

    fn accepted(&mut self, it: &Acknowledged, open: Open, at: Timestamp) {
        if late(open.at, at, it.within.millis()) {
            let (happened, accepted) = (Utc(open.at), Utc(at));
            self.fail(format!(
                "the event of {happened} in chat {} was accepted only at {accepted}",
                open.chat
            ));
        }
    }

    /// When it will have something to decide by the clock alone.
    pub(super) fn due(&self, stage: &Stage) -> Option<Timestamp> {
        let within = match self.expectation(stage).1 {
            Expectation::Answered(it) if self.is_pending() => it.within,
            Expectation::Acknowledged(it) if self.is_pending() => it.within,
            _ => return None,
        };
        let (_, first) = self.open.first_key_value()?;
        Some(first.at.plus_millis(within.millis()))
    }

    fn met_if(&mut self, met: bool) {
        if met && self.is_pending() {
            self.verdict = Verdict::Met;
        }
    }

    /// The first reason is what counts.
    fn fail(&mut self, reason: String) {
        if self.is_pending() {
            self.verdict = Verdict::Failed { reason };
        }
    }
}

fn late(begun: Timestamp, done: Timestamp, within: i64) -> bool {
    done > begun.plus_millis(within)
}

async fn status(it: &StatusIs, stage: &Stage) -> anyhow::Result<Verdict> {
    let thread = Thread::new(&it.about.value, it.dispute);
    let failed = |reason| Ok(Verdict::Failed { reason });
    let Some(id) = stage.chats.current(&thread) else {
        return failed(format!("there is no such thing as {thread}"));
    };
    match stage.app.store.chat(stage.cast.business, id).await? {
        Some(chat) if chat.status == it.is.0 => Ok(Verdict::Met),
        Some(chat) => failed(format!("{thread} is {}", chat.status)),
        None => failed(format!("chat {id} is gone")),
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = |about: Option<&str>, dispute: bool| {
            let kind = if dispute { " in the dispute" } else { "" };
            about.map_or(kind.to_owned(), |about| format!("{kind} about {about}"))
        };
        match self {
            Self::Answered(it) => {
                let about = about(it.about.as_ref().map(|about| about.value.as_str()), it.dispute);
                write!(f, "customers are answered within {}{about}", it.within)
            }
            Self::Acknowledged(it) => {
                write!(f, "{} is accepted within {}", it.kind.0, it.within)
            }
            Self::Status(it) => {
                let about = about(Some(&it.about.value), it.dispute);
                write!(f, "the chat{about} is {} in the end", it.is.0)
            }
            Self::Partner(it) => {
                let about = about(it.about.as_ref().map(|about| about.value.as_str()), it.dispute);
                let what = it.matching.as_ref();
                let what = what.map_or("something".to_owned(), |pattern| format!("`{pattern}`"));
                let times = it.times.map_or(String::new(), |times| format!(", {times} times"));
                write!(f, "the partner says {what}{about}{times}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use prilavok_domain::EventId;
    use prilavok_domain::rules::NotificationType;

    use super::*;
    use crate::scenario::values::NotificationName;

    /// Between the events and the delivery log, the log may get ahead.
    #[test]
    fn a_delivery_that_is_read_before_its_event_counts() {
        let kind = NotificationType::ChatCreated;
        let it = Acknowledged {
            kind: NotificationName(kind),
            within: "1m".parse().expect("a length"),
        };
        let at = Timestamp::from_millis(1_000_000).expect("in range");
        let event = Event {
            id: EventId::new(5).expect("an id"),
            business: BusinessId::new(1).expect("an id"),
            kind,
            chat: ChatId::new(2).expect("an id"),
            message: None,
            at,
        };
        for (accepted_after, in_time) in [(60_000, true), (60_001, false)] {
            let mut judge = Judge::new(0);
            judge.early.insert(5, at.plus_millis(accepted_after));
            judge.hear_event(&it, event);
            assert!(judge.open.is_empty());
            assert_eq!(judge.is_pending(), in_time, "{accepted_after}");
        }
    }
}
