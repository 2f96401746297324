//! Where people sign in.

use askama::Template;

use crate::frame::{Audience, Frame};

/// What was wrong with a try to sign in, or why one has to sign in again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Nobody issued such a secret, or it was revoked.
    Unknown,
    /// The Api-Key may not be used for chats.
    Scope,
    /// The business is switched off or being moved.
    Business,
    /// Too many wrong ones came from there.
    TooMany,
    /// The session is over, or its key was revoked.
    Over,
}

/// The page.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub struct SignIn {
    /// What is around it.
    pub frame: Frame,
    /// Who signs in.
    pub audience: Audience,
    /// What went wrong before.
    pub hint: Option<Hint>,
    /// Where to go afterwards.
    pub next: String,
}

impl SignIn {
    fn hint_text(&self) -> &'static str {
        let t = &self.frame.t().sign_in;
        match self.hint {
            None => "",
            Some(Hint::Unknown) if self.audience == Audience::Operator => t.unknown_token,
            Some(Hint::Unknown) => t.unknown_key,
            Some(Hint::Scope) => t.scope,
            Some(Hint::Business) => t.business,
            Some(Hint::TooMany) => t.too_many,
            Some(Hint::Over) => t.over,
        }
    }

    fn is_seller(&self) -> bool {
        self.audience == Audience::Seller
    }
}
