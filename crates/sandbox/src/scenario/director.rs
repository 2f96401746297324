//! The director: plays scenarios when it is told to, and says when to tell it next.

use std::sync::Arc;

use parking_lot::Mutex;
use prilavok_domain::Timestamp;
use prilavok_server::app::App;

use super::cast::Cast;
use super::play::Play;
use super::report::{Happening, Report};
use super::source::Scenario;

/// Plays scenarios against a server's app. It has no tasks and no timers: whoever owns it calls
/// [`run_due`](Self::run_due) at [`next_due`](Self::next_due), and whenever something was written.
pub struct Director {
    app: Arc<App>,
    plays: tokio::sync::Mutex<Vec<Play>>,
    /// What is shown while the plays are busy.
    board: Mutex<Board>,
}

/// How things stood after the last call.
#[derive(Default)]
struct Board {
    next_due: Option<Timestamp>,
    reports: Vec<Report>,
    finished: bool,
}

impl Board {
    fn of(plays: &[Play]) -> Self {
        Self {
            next_due: plays.iter().filter_map(Play::next_due).min(),
            reports: plays.iter().map(Play::report).collect(),
            finished: plays.iter().all(Play::is_over),
        }
    }
}

impl Director {
    /// A director with nothing to play yet.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self {
            app,
            plays: tokio::sync::Mutex::default(),
            board: Mutex::new(Board::of(&[])),
        }
    }

    /// Registers a business with what the scenario needs, and begins it: its first steps are due now. The
    /// scenario's [faults](Scenario::faults) are left to the caller.
    pub async fn begin(&self, scenario: &Scenario) -> anyhow::Result<Cast> {
        let mut plays = self.plays.lock().await;
        let cast = Cast::register(&self.app, scenario).await?;
        plays.push(Play::new(Arc::clone(&self.app), scenario.clone(), cast.clone()));
        *self.board.lock() = Board::of(&plays);
        Ok(cast)
    }

    /// Does everything that can be done at the clock's present time; answers what happened, in order. An error is
    /// the server's: the next call goes on from there, and tells what happened before it. A call that is not
    /// awaited to its end may do a step twice.
    pub async fn run_due(&self) -> anyhow::Result<Vec<Happening>> {
        let mut plays = self.plays.lock().await;
        let mut failed = None;
        for play in plays.iter_mut() {
            if let Err(error) = play.run_due().await {
                failed = Some(error);
            }
        }
        *self.board.lock() = Board::of(&plays);
        if let Some(error) = failed {
            return Err(error);
        }
        let mut happened: Vec<_> = plays.iter_mut().flat_map(Play::happened).collect();
        happened.sort_by_key(|happening| happening.at);
        Ok(happened)
    }

    /// The earliest time at which more will be due by the clock alone; `None` if that is never.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.board.lock().next_due
    }

    /// Where each scenario stands, and how each expectation fares, in the order in which they were begun.
    #[must_use]
    pub fn report(&self) -> Vec<Report> {
        self.board.lock().reports.clone()
    }

    /// Whether nothing is to come: every scenario is over.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.board.lock().finished
    }
}
