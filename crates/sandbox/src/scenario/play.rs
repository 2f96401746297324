//! A scenario that is being played: its fibers, its rules and its judges, moved by what is new in the chats and by
//! the clock.

use std::sync::Arc;

use prilavok_domain::{Sender, Timestamp};
use prilavok_server::app::App;

use super::acts::{NotDone, Stage};
use super::cast::Cast;
use super::fiber::{Fiber, Waited};
use super::judge::Judge;
use super::listening::{Chats, News};
use super::report::{Expected, Happening, Report, State, Verdict, What};
use super::source::Scenario;

/// A scenario that is being played.
pub(super) struct Play {
    stage: Stage,
    began: Timestamp,
    fibers: Vec<Fiber>,
    /// How often each rule may still fire.
    rules_left: Vec<u32>,
    judges: Vec<Judge>,
    /// Why it cannot go on, if it cannot.
    failure: Option<String>,
    steps_over: bool,
    over: bool,
}

impl Play {
    /// Nothing has happened yet: the first steps are due now.
    pub(super) fn new(app: Arc<App>, scenario: Scenario, cast: Cast) -> Self {
        let script = Arc::clone(&scenario.script);
        Self {
            began: app.now(),
            fibers: vec![Fiber::new(script.steps.clone(), 0)],
            rules_left: script.rules.iter().map(|rule| rule.value.times).collect(),
            judges: (0..script.expect.len()).map(Judge::new).collect(),
            failure: None,
            steps_over: false,
            over: false,
            stage: Stage {
                app,
                scenario,
                cast,
                chats: Chats::default(),
                happened: Vec::new(),
                flooded: 0,
                finished: Vec::new(),
            },
        }
    }

    /// Does everything that can be done now. An error is the server's: the next call goes on from there.
    pub(super) async fn run_due(&mut self) -> anyhow::Result<()> {
        while !self.over {
            // Asked for before the news: what comes later is not late for that.
            let now = self.stage.app.now();
            let heard = self.listen().await?;
            let acted = self.act(now).await?;
            if heard || acted {
                continue;
            }
            self.settle(now).await?;
            break;
        }
        Ok(())
    }

    /// What happened and was not told yet.
    pub(super) fn happened(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.stage.happened)
    }

    /// Hears all that is new; answers whether anything was.
    async fn listen(&mut self) -> anyhow::Result<bool> {
        let mut any = false;
        loop {
            let Stage { app, cast, chats, .. } = &mut self.stage;
            let page = chats.listen(app, cast).await?;
            if page.is_empty() {
                break;
            }
            any = true;
            for news in &page {
                self.hear(news);
            }
        }
        for (chat, last) in self.stage.finished.drain(..) {
            for judge in &mut self.judges {
                judge.finished(chat, last);
            }
        }
        Ok(any)
    }

    fn hear(&mut self, news: &News) {
        for judge in &mut self.judges {
            judge.hear(&self.stage, news);
        }
        let Some(message) = news.message_of(Sender::Partner) else {
            return;
        };
        let text = message.text.as_ref().map(|text| text.as_str());
        if let Some(about) = &news.place.about {
            let what = What::Wrote {
                sender: Sender::Partner,
                about: about.to_string(),
                dispute: news.place.dispute,
                chat: news.event.chat,
                text: text.map(str::to_owned),
                files: message.files.len(),
            };
            self.stage.tell(None, what);
        }
        let script = Arc::clone(&self.stage.scenario.script);
        for (rule, left) in script.rules.iter().zip(&mut self.rules_left) {
            let (line, rule) = (rule.referenced.line(), &rule.value);
            let about = rule.when.about.as_ref().map(|about| about.value.as_str());
            let pattern = rule.when.matching.as_ref();
            let fires = *left > 0
                && self.failure.is_none()
                && news.place.is_meant(about, rule.when.dispute)
                && pattern.is_none_or(|pattern| text.is_some_and(|text| pattern.is_in(text)));
            if fires {
                *left -= 1;
                let mut fiber = Fiber::new(rule.steps.clone(), message.id.get());
                if let Some(after) = rule.after {
                    fiber.wait_until(self.stage.app.now().plus_millis(after.millis()), line);
                }
                self.fibers.push(fiber);
            }
        }
    }

    /// Moves each fiber as far as it goes; answers whether one did a step.
    async fn act(&mut self, now: Timestamp) -> anyhow::Result<bool> {
        let mut acted = false;
        let Self {
            stage,
            fibers,
            failure,
            ..
        } = self;
        for fiber in fibers.iter_mut() {
            loop {
                match fiber.look(&stage.chats, now) {
                    Waited::Over => {}
                    Waited::OverWith(line, what) => stage.tell(Some(line), what),
                    Waited::Still => break,
                }
                let Some(step) = fiber.step() else { break };
                match stage.act(fiber, &step).await {
                    Ok(()) => {}
                    Err(NotDone::Failed(error)) => return Err(error),
                    Err(NotDone::Impossible(reason)) => {
                        let line = step.referenced.line();
                        let reason = format!("line {line}: {}: {reason}", step.value.kind());
                        stage.tell(
                            Some(line),
                            What::Failed {
                                reason: reason.clone(),
                            },
                        );
                        *failure = Some(reason);
                        break;
                    }
                }
                fiber.advance();
                acted = true;
            }
            if failure.is_some() {
                break;
            }
        }
        if failure.is_some() {
            fibers.clear();
        }
        fibers.retain_mut(|fiber| fiber.due().is_some() || fiber.step().is_some());
        Ok(acted)
    }

    /// Judges, once there is nothing to do.
    async fn settle(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let over = self.fibers.is_empty();
        if over && !self.steps_over {
            self.steps_over = true;
            if self.failure.is_none() {
                self.stage.tell(None, What::StepsOver);
            }
        }
        for judge in &mut self.judges {
            let pending = judge.is_pending();
            judge.settle(&self.stage, now, over).await?;
            if pending && !judge.is_pending() {
                let (line, expectation) = judge.expectation(&self.stage);
                let what = What::Judged {
                    expectation: expectation.to_string(),
                    verdict: judge.verdict.clone(),
                };
                self.stage.tell(Some(line), what);
            }
        }
        self.over = over && (self.failure.is_some() || !self.judges.iter().any(Judge::is_pending));
        Ok(())
    }

    /// When there will be more to do by the clock alone.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        if self.over {
            return None;
        }
        let fibers = self.fibers.iter().map(|fiber| fiber.due().unwrap_or(self.began));
        let judges = self.judges.iter().filter_map(|judge| judge.due(&self.stage));
        fibers.chain(judges).min()
    }

    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    /// Where it stands.
    pub(super) fn report(&self) -> Report {
        let expectations = self.judges.iter().map(|judge| {
            let (line, expectation) = judge.expectation(&self.stage);
            Expected {
                line,
                expectation: expectation.to_string(),
                verdict: judge.verdict.clone(),
            }
        });
        let expectations: Vec<_> = expectations.collect();
        let failed = expectations
            .iter()
            .filter_map(|expected| match &expected.verdict {
                Verdict::Failed { reason } => Some(format!(
                    "line {}: {}: {reason}",
                    expected.line, expected.expectation
                )),
                Verdict::Pending | Verdict::Met => None,
            });
        let reasons: Vec<_> = self.failure.clone().into_iter().chain(failed).collect();
        let state = match (self.over, reasons.is_empty()) {
            (false, _) => State::Running,
            (true, true) => State::Passed,
            (true, false) => State::Failed { reasons },
        };
        Report {
            scenario: self.stage.scenario.name().to_owned(),
            title: self.stage.scenario.title().to_owned(),
            business: self.stage.cast.business,
            began_at: self.began,
            state,
            waiting: self.fibers.iter().filter_map(Fiber::waiting).collect(),
            expectations,
        }
    }
}
