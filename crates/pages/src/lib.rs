//! What people see: pages as templates, the texts in them in three languages, and what browsers load beside them.
//!
//! Nothing here reads or writes anything: a page is a view that is put together elsewhere, rendered. Every text from
//! outside is escaped by the templates; the one place that writes markup of its own around such a text is [`linked`].

pub mod assets;
pub mod conversation;
pub mod counter;
pub mod desk;
pub mod frame;
pub mod inbox;
pub mod language;
pub mod linked;
pub mod operator;
pub mod replies;
pub mod sign_in;
pub mod texts;
pub mod theme;
pub mod trouble;
pub mod when;

pub use askama::Template;
pub use frame::{Audience, Frame};
pub use language::Language;
pub use theme::Theme;
