//! The statements: every one is a constant in the file that uses it, made by [`statements!`] and thereby in the list
//! that a test parses. A statement names the business, by which tables are divided; one that does not says why.

/// A statement. Only [`statements!`] makes one, so none is missing in the list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sql {
    /// Its text.
    pub(super) text: &'static str,
    /// Its name, for errors.
    pub(super) name: &'static str,
    /// Why it is about more than one business; `None` where it is about one.
    pub(super) across: Option<&'static str>,
}

/// Makes a constant of each statement, and the list of them, `ALL`.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr $(, across: $why:literal)?;)+) => {
        $(
            $(#[$doc])*
            pub(super) const $name: $crate::postgres::statements::Sql = $crate::postgres::statements::Sql {
                text: $text,
                name: stringify!($name),
                across: statements!(@across $($why)?),
            };
        )+
        /// Every statement of this file.
        #[cfg(test)]
        pub(super) const ALL: &[$crate::postgres::statements::Sql] = &[$($name),+];
    };
    (@across) => { None };
    (@across $why:literal) => { Some($why) };
}
pub(super) use statements;

/// Every statement of the store, by file.
#[cfg(test)]
pub(super) const FILES: &[(&str, &[Sql])] = &[
    ("attempts", super::attempts::ALL),
    ("chat_list", super::chat_list::ALL),
    ("chats", super::chats::ALL),
    ("check", super::check::ALL),
    ("counter", super::counter::ALL),
    ("credentials", super::credentials::ALL),
    ("deliveries", super::deliveries::ALL),
    ("disputes", super::disputes::ALL),
    ("events", super::events::ALL),
    ("followed", super::followed::ALL),
    ("idempotency", super::idempotency::ALL),
    ("listen", super::listen::ALL),
    ("messages", super::messages::ALL),
    ("meta", super::meta::ALL),
    ("nodes", super::nodes::ALL),
    ("of_customer", super::of_customer::ALL),
    ("overdue", super::overdue::ALL),
    ("registry", super::registry::ALL),
    ("subscriptions", super::subscriptions::ALL),
    ("transaction", super::transaction::ALL),
    ("upkeep", super::upkeep::ALL),
    ("usage", super::usage::ALL),
];
