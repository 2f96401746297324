//! Pages that say what went wrong and what to do next.

use askama::Template;

use crate::frame::Frame;
use crate::texts::Texts;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// There is no such page, chat or file.
    NotFound,
    /// The form was not sent from a page of this session.
    Forged,
    /// The key may read and not write.
    ReadOnly,
    /// What was sent cannot be taken.
    Invalid(Problem),
    /// Too many requests wait.
    Overloaded,
    /// The store cannot be reached or written.
    Unavailable,
    /// A defect of ours; the request's id.
    Internal(String),
}

/// Why something that was sent cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// There is neither a text nor a file.
    Empty,
    /// The text has more than 4,096 characters.
    TooLong,
    /// The text has characters that cannot be kept.
    Characters,
    /// The file of this name has more than 5 MB.
    FileTooLarge(String),
    /// The file of this name has no content.
    FileEmpty(String),
    /// There are more than ten files.
    TooManyFiles,
    /// The chat is finished.
    Finished,
    /// The customer was erased.
    Erased,
    /// There are as many saved replies as there may be.
    TooManyReplies,
    /// Another saved reply has this name.
    NameTaken,
    /// The form broke off or is not one of ours.
    Broken,
    /// Another key of the business has this name.
    KeyNameTaken,
    /// The business has as many keys as it may have.
    TooManyKeys,
    /// A key without a name, or that may be used for nothing.
    KeyFields,
    /// The subscription is disabled.
    SubscriptionOff,
    /// The receiver did not answer the PING; what it did instead.
    Ping(String),
    /// It is not said since when.
    Time,
    /// A verdict for nobody, or without a text.
    Verdict,
}

impl Trouble {
    /// What it is, in a few words.
    #[must_use]
    pub const fn title(&self, t: &'static Texts) -> &'static str {
        let t = &t.trouble;
        match self {
            Self::NotFound => t.not_found,
            Self::Forged => t.forged,
            Self::ReadOnly => t.read_only,
            Self::Invalid(_) => t.invalid,
            Self::Overloaded => t.overloaded,
            Self::Unavailable => t.unavailable,
            Self::Internal(_) => t.internal,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn advice(&self, texts: &'static Texts) -> String {
        let t = &texts.trouble;
        match self {
            Self::NotFound => t.not_found_advice.to_owned(),
            Self::Forged => t.forged_advice.to_owned(),
            Self::ReadOnly => t.read_only_advice.to_owned(),
            Self::Invalid(problem) => problem.text(texts),
            Self::Overloaded => t.overloaded_advice.to_owned(),
            Self::Unavailable => t.unavailable_advice.to_owned(),
            Self::Internal(id) => format!("{} {id}", t.internal_advice),
        }
    }
}

impl Problem {
    fn text(&self, texts: &'static Texts) -> String {
        let (t, o) = (&texts.trouble, &texts.operator);
        match self {
            Self::Empty => t.empty.to_owned(),
            Self::TooLong => t.too_long.to_owned(),
            Self::Characters => t.characters.to_owned(),
            Self::FileTooLarge(name) => format!("{} {name}", t.file_too_large),
            Self::FileEmpty(name) => format!("{} {name}", t.file_empty),
            Self::TooManyFiles => t.too_many_files.to_owned(),
            Self::Finished => t.finished.to_owned(),
            Self::Erased => texts.conversation.erased.to_owned(),
            Self::TooManyReplies => t.too_many_replies.to_owned(),
            Self::NameTaken => t.name_taken.to_owned(),
            Self::Broken => t.broken.to_owned(),
            Self::KeyNameTaken => o.trouble_name.to_owned(),
            Self::TooManyKeys => o.trouble_keys.to_owned(),
            Self::KeyFields => o.trouble_key_fields.to_owned(),
            Self::SubscriptionOff => o.trouble_off.to_owned(),
            Self::Ping(why) => format!("{} {why}", o.trouble_ping),
            Self::Time => o.trouble_time.to_owned(),
            Self::Verdict => o.trouble_verdict.to_owned(),
        }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "trouble.html")]
pub struct TroublePage {
    /// What is around it.
    pub frame: Frame,
    /// What went wrong.
    pub trouble: Trouble,
    /// The way on.
    pub home: &'static str,
}

/// The same within a page that is there already.
#[derive(Template)]
#[template(path = "trouble_part.html")]
pub struct TroublePart {
    /// What is around it.
    pub frame: Frame,
    /// What went wrong.
    pub trouble: Trouble,
}
