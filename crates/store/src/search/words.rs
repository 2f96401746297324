//! What is looked for.

use std::fmt::Write;

use prilavok_domain::BusinessId;

use super::tokens::{PieceKind, pieces, stem};

/// Words beyond this are not asked for.
const MOST: usize = 16;
/// A word of so many characters is taken for the beginning of one.
const BEGINNING: usize = 3;

/// The words that somebody looks for. All of them must be there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words(Vec<Term>);

/// One thing that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    /// The token.
    whole: Option<String>,
    /// Or one that begins like this.
    beginning: Option<String>,
}

impl Words {
    /// Reads what was typed. The last word may be unfinished.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut terms = Vec::new();
        let pieces = pieces(text);
        let count = pieces.len();
        for (index, piece) in pieces.into_iter().enumerate() {
            match piece.kind {
                PieceKind::Word(word) => {
                    let unfinished = index + 1 == count && word.chars().count() >= BEGINNING;
                    terms.push(Term {
                        whole: Some(stem(&word).into_owned()),
                        beginning: unfinished.then_some(word),
                    });
                }
                PieceKind::Run(run) if run.len() == 1 => terms.push(Term {
                    whole: None,
                    beginning: Some(run[0].1.to_string()),
                }),
                PieceKind::Run(run) => terms.extend(run.windows(2).map(|pair| Term {
                    whole: Some([pair[0].1, pair[1].1].iter().collect()),
                    beginning: None,
                })),
            }
        }
        terms.truncate(MOST);
        Self(terms)
    }

    /// Whether nothing can be found by them.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a token is one of those that are looked for.
    pub(super) fn mean(&self, token: &str) -> bool {
        self.0.iter().any(|term| term.means(token))
    }

    /// Whether all of them are among the tokens.
    pub(super) fn are_all_in(&self, tokens: &[String]) -> bool {
        self.0
            .iter()
            .all(|term| tokens.iter().any(|token| term.means(token)))
    }

    /// As FTS5 asks for them, of one business. Every token is in quotes and has none in it.
    pub(super) fn expression(&self, business: BusinessId) -> String {
        let mut expression = String::new();
        for term in &self.0 {
            if !expression.is_empty() {
                expression.push_str(" AND ");
            }
            let whole = term.whole.iter().map(|it| (it, ""));
            let beginning = term.beginning.iter().map(|it| (it, "*"));
            let mut opening = '(';
            for (token, star) in whole.chain(beginning) {
                // Writing into a string does not fail.
                let _ = write!(expression, "{opening}\"{}\"{star}", of_business(business, token));
                opening = '|';
            }
            expression.push(')');
        }
        expression.replace('|', " OR ")
    }
}

impl Term {
    fn means(&self, token: &str) -> bool {
        let begins = |beginning: &String| token.starts_with(beginning.as_str());
        self.whole.as_deref() == Some(token) || self.beginning.as_ref().is_some_and(begins)
    }
}

/// A token as the index has it. The business is a part of it, so that the places of a word are those of one business, and
/// what a search costs does not grow with the others.
pub(super) fn of_business(business: BusinessId, token: &str) -> String {
    format!("{business}b{token}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_becomes_an_expression_that_fts5_takes_for_nothing_else() {
        let business = BusinessId::new(12).expect("an id");
        for (typed, expression) in [
            ("", ""),
            ("\"*^ - (😀", ""),
            ("посылку", "(\"12bпосылк\" OR \"12bпосылку\"*)"),
            (
                "orders NEAR(1003)",
                "(\"12border\") AND (\"12bnear\") AND (\"12b1003\" OR \"12b1003\"*)",
            ),
            ("ab", "(\"12bab\")"),
            ("快递单", "(\"12b快递\") AND (\"12b递单\")"),
            ("快", "(\"12b快\"*)"),
        ] {
            assert_eq!(Words::new(typed).expression(business), expression, "{typed}");
        }
    }
}
