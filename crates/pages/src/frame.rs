//! What is around every page: whose it is, in which language, and the way back to it.

use crate::assets;
use crate::language::Language;
use crate::texts::Texts;
use crate::theme::Theme;

/// For whom pages are; each audience signs in with a secret of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Sellers, with an Api-Key.
    Seller,
    /// The marketplace's people, with an operator token.
    Operator,
}

impl Audience {
    /// Whose page a path is.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        let marketplace = ["/ui/operator", "/ui/arbiter"];
        match marketplace.iter().any(|prefix| path.starts_with(prefix)) {
            true => Self::Operator,
            false => Self::Seller,
        }
    }

    /// Where its pages begin.
    #[must_use]
    pub const fn home(self) -> &'static str {
        match self {
            Self::Seller => "/ui/",
            Self::Operator => "/ui/operator",
        }
    }

    /// Where it signs in.
    #[must_use]
    pub const fn sign_in(self) -> &'static str {
        match self {
            Self::Seller => "/ui/sign-in",
            Self::Operator => "/ui/operator/sign-in",
        }
    }

    /// Where it signs out.
    #[must_use]
    pub const fn sign_out(self) -> &'static str {
        match self {
            Self::Seller => "/ui/sign-out",
            Self::Operator => "/ui/operator/sign-out",
        }
    }
}

/// Who is signed in.
#[derive(Debug, Clone)]
pub struct Reader {
    /// As whom.
    pub audience: Audience,
    /// The name that is shown: a business's, or nothing.
    pub name: String,
    /// The session's token, which every form carries.
    pub csrf: String,
}

/// What is around a page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The language.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
    /// Path and query of the page, to come back to.
    pub here: String,
    /// Who reads, once signed in.
    pub reader: Option<Reader>,
}

impl Frame {
    /// The texts in the reader's language.
    #[must_use]
    pub const fn t(&self) -> &'static Texts {
        self.language.texts()
    }

    /// The token that forms carry; empty before signing in.
    #[must_use]
    pub fn csrf(&self) -> &str {
        self.reader.as_ref().map_or("", |reader| &reader.csrf)
    }

    /// The address of an asset.
    #[must_use]
    pub fn asset(&self, name: &str) -> String {
        assets::url(name)
    }
}
