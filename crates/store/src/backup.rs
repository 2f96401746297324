//! What a check of the store found.

/// What a check of the store found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// Chats looked at.
    pub chats: u64,
    /// Messages looked at.
    pub messages: u64,
    /// Files named by messages.
    pub files: u64,
    /// Events that are kept.
    pub events: u64,
    /// What is wrong, one sentence each; empty where all is well.
    pub problems: Vec<String>,
}

/// What a rule of the check is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum About {
    Chat,
    Event,
    Subscription,
}

impl About {
    const fn word(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Event => "event",
            Self::Subscription => "subscription",
        }
    }
}

/// Problems of one sort that are listed one by one; more are only counted.
pub(crate) const LISTED: usize = 20;

impl CheckReport {
    /// Adds what breaks a rule, each as its business and its id.
    pub(crate) fn add(&mut self, about: About, rule: &str, found: &[(i64, i64)]) {
        let what = about.word();
        let listed = found.iter().take(LISTED);
        self.problems
            .extend(listed.map(|(business, id)| format!("business {business}, {what} {id}: {rule}")));
        if found.len() > LISTED {
            self.problems
                .push(format!("{} more: {rule}", found.len() - LISTED));
        }
    }
}
