//! What a check of the store found.

use std::sync::Arc;

use crate::files::FileStore;
use crate::{Result, Store};

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

/// Is told of a check how many of its steps are done, and how many there are.
pub type CheckProgress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Files asked for at a time.
const FILES: usize = 500;

/// What is wrong with the files that messages named when the check looked. That was a while ago, longer where it looked at a
/// replica: a file may be gone by now because it was to go, and then nothing is wrong.
pub(crate) async fn problems_of_files(
    store: &dyn Store,
    files: &FileStore,
    named: Vec<(String, u64)>,
) -> Result<Vec<String>> {
    let (missing, others): (Vec<_>, Vec<_>) = files
        .problems(named)
        .await
        .into_iter()
        .partition(|problem| problem.is_missing);
    let mut problems: Vec<_> = others.into_iter().map(|problem| problem.told).collect();
    for some in missing.chunks(FILES) {
        let objects = some.iter().map(|one| one.object.clone()).collect();
        let named = store.named_files(objects).await?;
        let of_named = some.iter().zip(named).filter(|(_, named)| *named);
        problems.extend(of_named.map(|(one, _)| one.told.clone()));
    }
    Ok(problems)
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
