//! What is told of scenarios: what happened, where each stands, and how each expectation fares.

use prilavok_domain::{BusinessId, ChatId, ChatStatus, Sender, Timestamp};
use prilavok_wire::time::Utc;
use serde::{Serialize, Serializer};

/// Something that happened in a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Happening {
    /// When.
    #[serde(serialize_with = "instant")]
    pub at: Timestamp,
    /// The scenario.
    pub scenario: String,
    /// The business that was made for it.
    #[serde(rename = "businessId", serialize_with = "business")]
    pub business: BusinessId,
    /// The line of the file that it comes from; absent for what the partner did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What it was.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum What {
    /// Somebody wrote into a chat, the partner among them.
    Wrote {
        /// Who.
        #[serde(serialize_with = "shown")]
        sender: Sender,
        /// What the scenario calls the chat.
        about: String,
        /// Whether it is the dispute beside it.
        dispute: bool,
        /// The chat.
        #[serde(rename = "chatId", serialize_with = "chat_id")]
        chat: ChatId,
        /// The text, if there was one.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// How many files came with it.
        files: usize,
    },
    /// A dispute began.
    DisputeStarted {
        /// What is disputed.
        about: String,
        /// The dispute's chat.
        #[serde(rename = "chatId", serialize_with = "chat_id")]
        chat: ChatId,
    },
    /// A chat was escalated or finished, or a dispute decided.
    StatusChanged {
        /// What the scenario calls the chat.
        about: String,
        /// Whether it is the dispute beside it.
        dispute: bool,
        /// The chat.
        #[serde(rename = "chatId", serialize_with = "chat_id")]
        chat: ChatId,
        /// Its status now.
        #[serde(serialize_with = "shown")]
        status: ChatStatus,
    },
    /// Many customers wrote at once.
    Flooded {
        /// How many.
        chats: u32,
    },
    /// The partner did not answer in time.
    NoReply {
        /// What the scenario calls the chat.
        about: String,
        /// Whether it is the dispute beside it.
        dispute: bool,
    },
    /// The steps are over.
    StepsOver,
    /// A step could not be done: the scenario has ended.
    Failed {
        /// Why.
        reason: String,
    },
    /// An expectation was decided.
    Judged {
        /// The expectation.
        expectation: String,
        /// How it fared.
        #[serde(flatten)]
        verdict: Verdict,
    },
}

/// How an expectation fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "camelCase")]
pub enum Verdict {
    /// It is not decided yet.
    Pending,
    /// It was met.
    Met,
    /// It was not met.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Where a scenario stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The scenario.
    pub scenario: String,
    /// What it is about.
    pub title: String,
    /// The business that was made for it.
    #[serde(rename = "businessId", serialize_with = "business")]
    pub business: BusinessId,
    /// When it began.
    #[serde(serialize_with = "instant")]
    pub began_at: Timestamp,
    /// Where it stands as a whole.
    #[serde(flatten)]
    pub state: State,
    /// What its steps wait for, in words.
    pub waiting: Vec<String>,
    /// Its expectations.
    pub expectations: Vec<Expected>,
}

/// Where a scenario stands as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum State {
    /// Steps are to come, or expectations to be decided.
    Running,
    /// It is over, and every expectation was met.
    Passed,
    /// It is over, and an expectation was not met or a step could not be done.
    Failed {
        /// Why.
        reasons: Vec<String>,
    },
}

/// An expectation and how it fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Expected {
    /// The line of the file.
    pub line: u64,
    /// The expectation, in words.
    pub expectation: String,
    /// How it fares.
    #[serde(flatten)]
    pub verdict: Verdict,
}

fn instant<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    Utc(*at).serialize(serializer)
}

pub(super) fn business<S: Serializer>(id: &BusinessId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(id.get())
}

fn chat_id<S: Serializer>(id: &ChatId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(id.get())
}

fn shown<S: Serializer>(name: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(name)
}
