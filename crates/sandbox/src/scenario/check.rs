//! What is wrong with a scenario beyond its form: names that nobody has, and what the chat rules will never allow.

use std::collections::BTreeSet;

use prilavok_domain::{ChatType, ContextType, PublicId, rules};
use serde_saphyr::{Location, Spanned};

use super::script::{Expectation, OrderPart, Script, Step, Steps};
use super::source::Problem;

/// More chats than these at once are a mistake.
const MAX_FLOOD: u32 = 100_000;
/// Room for the business's id in the public id that is made of a customer's name.
const MAX_NAME_CHARS: usize = PublicId::MAX_CHARS - 20;
/// As many as the Operator API takes with a message.
const MAX_FILES: usize = 10;

/// What a check found.
#[derive(Default)]
pub(super) struct Checked<'a> {
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
    /// What is sent, with the fields that name it.
    pub(super) sends: Vec<(String, &'a Spanned<String>)>,
}

/// Checks a script.
pub(super) fn check(script: &Script) -> Checked<'_> {
    let mut checker = Checker {
        script,
        found: Checked::default(),
    };
    checker.names();
    checker.steps("steps", &script.steps);
    for (number, rule) in script.rules.iter().enumerate() {
        let path = format!("rules[{number}]");
        let at = rule.referenced;
        let rule = &rule.value;
        checker.place(
            &format!("{path}.when"),
            rule.when.about.as_ref(),
            rule.when.dispute,
        );
        if rule.times == 0 {
            checker.wrong(at, format!("{path}.times"), "must be at least 1");
        }
        if rule.steps.0.is_empty() {
            checker.wrong(at, format!("{path}.do"), "has no steps");
        }
        checker.steps(&format!("{path}.do"), &rule.steps);
    }
    for (number, expectation) in script.expect.iter().enumerate() {
        let path = |kind: &str| format!("expect[{number}].{kind}");
        match &expectation.value {
            Expectation::Answered(it) => checker.place(&path("answered"), it.about.as_ref(), it.dispute),
            Expectation::Status(it) => checker.place(&path("status"), Some(&it.about), it.dispute),
            Expectation::Partner(it) => checker.place(&path("partner"), it.about.as_ref(), it.dispute),
            Expectation::Acknowledged(_) => {}
        }
    }
    if script.steps.0.is_empty() {
        checker.wrong(
            Location::UNKNOWN,
            "steps".to_owned(),
            "a scenario has at least one step",
        );
    }
    checker.found
}

struct Checker<'a> {
    script: &'a Script,
    found: Checked<'a>,
}

impl<'a> Checker<'a> {
    fn wrong(&mut self, at: Location, field: String, rule: impl Into<String>) {
        self.found.problems.push(Problem::at(at, field, rule.into()));
    }

    fn names(&mut self) {
        let script = self.script;
        let customers = script.customers.iter();
        let customers = customers.map(|(name, title)| ("customers", name, title.referenced));
        let orders = script.orders.iter();
        let orders = orders.map(|(name, order)| ("orders", name, order.customer.referenced));
        let returns = script.returns.iter();
        let returns = returns.map(|(name, returned)| ("returns", name, returned.order.referenced));
        let mut taken = BTreeSet::new();
        for (kind, name, at) in customers.chain(orders).chain(returns) {
            let field = format!("{kind}.{name}");
            let well_formed = name.chars().count() <= MAX_NAME_CHARS && PublicId::new(name.as_str()).is_ok();
            if !well_formed {
                let rule = format!("a name has 1 to {MAX_NAME_CHARS} characters and no control characters");
                self.wrong(at, field.clone(), rule);
            }
            if !taken.insert(name) {
                self.wrong(at, field, format!("something else is called `{name}` already"));
            }
        }
        for (name, order) in &script.orders {
            let customer = &order.customer;
            let known = script.customers.keys();
            if !script.customers.contains_key(&customer.value) {
                let rule = unknown("customer", &customer.value, known);
                self.wrong(customer.referenced, format!("orders.{name}.customer"), rule);
            }
        }
        for (name, returned) in &script.returns {
            let order = &returned.order;
            if !script.orders.contains_key(&order.value) {
                let rule = unknown("order", &order.value, script.orders.keys());
                self.wrong(order.referenced, format!("returns.{name}.order"), rule);
            }
        }
    }

    fn steps(&mut self, path: &str, steps: &'a Steps) {
        for (number, step) in steps.0.iter().enumerate() {
            let (at, step) = (step.referenced, &step.value);
            let path = format!("{path}[{number}].{}", step.kind());
            if let Some((about, dispute)) = step.place() {
                self.place(&path, Some(about), dispute);
            }
            match step {
                Step::Customer(it) | Step::Market(it) => {
                    self.message(at, &path, it.says.is_some(), &it.sends);
                }
                Step::Support(it) => self.message(at, &path, it.says.is_some(), &it.sends),
                Step::Dispute(it) => self.files(&path, &it.sends),
                Step::Reply(it) => {
                    self.steps(&format!("{path}.then"), &it.then);
                    self.steps(&format!("{path}.otherwise"), &it.otherwise);
                }
                Step::Flood(it) if !(1..=MAX_FLOOD).contains(&it.chats.value) => {
                    let rule = format!("must be 1 to {MAX_FLOOD}, not {}", it.chats.value);
                    self.wrong(it.chats.referenced, format!("{path}.chats"), rule);
                }
                Step::Decide(_) | Step::Escalate(_) | Step::Finish(_) => {}
                Step::Flood(_) | Step::Wait(_) | Step::Until(_) => {}
            }
        }
    }

    fn message(&mut self, at: Location, path: &str, says: bool, sends: &'a [Spanned<String>]) {
        if !says && sends.is_empty() {
            self.wrong(at, path.to_owned(), "a message has `says`, `sends` or both");
        }
        self.files(path, sends);
    }

    fn files(&mut self, path: &str, sends: &'a [Spanned<String>]) {
        if let Some(surplus) = sends.get(MAX_FILES) {
            let rule = format!("a message carries at most {MAX_FILES} files");
            self.wrong(surplus.referenced, format!("{path}.sends"), rule);
        }
        let sent = sends.iter().enumerate();
        let sent = sent.map(|(number, file)| (format!("{path}.sends[{number}]"), file));
        self.found.sends.extend(sent);
    }

    /// Whether there is, or can be, such a chat.
    fn place(&mut self, path: &str, about: Option<&Spanned<String>>, dispute: bool) {
        let Some(about) = about else {
            return;
        };
        let script = self.script;
        let name = &about.value;
        let is_test = |order: Option<&OrderPart>| order.is_some_and(|order| order.test);
        let rule = if script.orders.contains_key(name) {
            return;
        } else if let Some(returned) = script.returns.get(name) {
            let test = is_test(script.orders.get(&returned.order.value));
            let subject = rules::Subject::Return {
                placement: prilavok_domain::Placement::Fbs,
                test,
            };
            match rules::may_start_chat(rules::Initiator::Customer, subject) {
                Ok(_) => return,
                Err(rule) => rule.to_string(),
            }
        } else if script.customers.contains_key(name) {
            match rules::may_start_arbitration(ChatType::Chat, ContextType::Direct, false) {
                Err(rule) if dispute => rule.to_string(),
                _ => return,
            }
        } else {
            let known = script.orders.keys().chain(script.returns.keys());
            unknown(
                "order, return or customer",
                name,
                known.chain(script.customers.keys()),
            )
        };
        self.wrong(about.referenced, format!("{path}.about"), rule);
    }
}

fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let known: Vec<_> = known.map(String::as_str).collect();
    if known.is_empty() {
        format!("no {kind} is called `{name}`: none is declared")
    } else {
        format!("no {kind} is called `{name}`: there are {}", known.join(", "))
    }
}
