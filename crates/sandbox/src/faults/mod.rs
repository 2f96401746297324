//! Faults on purpose: rules that choose calls and deliveries, and what then goes wrong.

mod calls;
mod deliveries;
mod error;
mod rule;

use std::sync::Arc;

use parking_lot::Mutex;
use prilavok_domain::rules::NotificationType;
use prilavok_domain::{EventId, SubscriptionId, Timestamp};
use prilavok_wire::Operation;
use serde::Serialize;
use std::collections::HashMap;

pub use calls::{HEADER, meddle};
pub use error::ErrorName;
pub use rule::{Act, InvalidRule, Rule};

/// The rules in force. Its copies are the same.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    last_id: u64,
    rules: Vec<Active>,
    /// Deliveries that are held back, and until when.
    held: HashMap<(SubscriptionId, EventId), Timestamp>,
    random: fastrand::Rng,
}

/// A rule in force, and how often it acted.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Active {
    /// Its number, by which it is taken back.
    pub id: u64,
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// The calls or deliveries that it chose from.
    pub seen: u64,
    /// How often it acted.
    pub acted: u64,
}

impl Faults {
    /// Adds a rule.
    pub fn add(&self, rule: Rule) -> Result<Active, InvalidRule> {
        rule.check()?;
        let mut state = self.0.lock();
        state.last_id += 1;
        let active = Active {
            id: state.last_id,
            rule,
            seen: 0,
            acted: 0,
        };
        state.rules.push(active.clone());
        Ok(active)
    }

    /// The rules in force, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Active> {
        self.0.lock().rules.clone()
    }

    /// Takes a rule back; answers whether there was one.
    pub fn remove(&self, id: u64) -> bool {
        let mut state = self.0.lock();
        let before = state.rules.len();
        state.rules.retain(|rule| rule.id != id);
        state.rules.len() < before
    }

    /// Takes all rules back, and lets go what was held.
    pub fn clear(&self) {
        let mut state = self.0.lock();
        state.rules.clear();
        state.held.clear();
    }

    /// What the first rule that acts does to a call.
    fn of_call(&self, operation: Operation, business: Option<i64>) -> Option<Act> {
        self.0.lock().first(|rule| rule.chooses_call(operation, business))
    }

    /// What the first rule that acts does to a delivery.
    fn of_delivery(&self, kind: NotificationType, business: i64) -> Option<Act> {
        self.0.lock().first(|rule| rule.chooses_delivery(kind, business))
    }
}

impl State {
    fn first(&mut self, chooses: impl Fn(&Rule) -> bool) -> Option<Act> {
        let Self { rules, random, .. } = self;
        for active in rules.iter_mut().filter(|active| chooses(&active.rule)) {
            active.seen += 1;
            if active.rule.acts(active.seen, active.acted, random) {
                active.acted += 1;
                return Some(active.rule.act.clone());
            }
        }
        None
    }
}
