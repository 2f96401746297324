//! Text as the tokens that it is found by.
//!
//! A word is lower-cased, `ё` is `е`, and what is left of it without its ending is the token: so all forms of a word find
//! each other. Chinese and Japanese have no spaces between words: each two neighbouring characters are a token. Numbers
//! and what has digits in it stay as they are. No token has a character in it that SQLite's `ascii` tokenizer would split
//! at, or that means something in a query.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use icu_normalizer::ComposingNormalizerBorrowed;
use snowball_stemmers_rs::{Algorithm, Stemmer};

/// What is longer is cut: no word is.
const LONGEST: usize = 40;

static RUSSIAN: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::Russian));
static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it is.
    pub(super) range: Range<usize>,
    pub(super) kind: PieceKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PieceKind {
    /// A word in lower case.
    Word(String),
    /// Characters without spaces between words, each with its place.
    Run(Vec<(Range<usize>, char)>),
}

/// What a text is found by, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

/// The tokens of a text, in order.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for piece in pieces(text) {
        match piece.kind {
            PieceKind::Word(word) => tokens.push(Token {
                range: piece.range,
                text: stem(&word).into_owned(),
            }),
            PieceKind::Run(run) => {
                let pairs = run.windows(2);
                tokens.extend(pairs.map(|pair| Token {
                    range: pair[0].0.start..pair[1].0.end,
                    text: [pair[0].1, pair[1].1].iter().collect(),
                }));
                // So that a single character finds it as well, as the beginning of a pair does.
                tokens.extend(run.last().map(|(range, last)| Token {
                    range: range.clone(),
                    text: last.to_string(),
                }));
            }
        }
    }
    tokens
}

/// A word without its ending.
pub(super) fn stem(word: &str) -> Cow<'_, str> {
    let stemmer = if word.chars().any(char::is_numeric) {
        return Cow::Borrowed(word);
    } else if word.is_ascii() {
        &ENGLISH
    } else if word.chars().all(is_cyrillic) {
        &RUSSIAN
    } else {
        return Cow::Borrowed(word);
    };
    let stem = stemmer.stem(word);
    if stem.is_empty() {
        Cow::Borrowed(word)
    } else {
        stem
    }
}

/// The words of a text, and its runs of characters that are written without spaces.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        if !first.is_alphanumeric() {
            continue;
        }
        let unspaced = is_unspaced(first);
        let mut end = start + first.len_utf8();
        while let Some(&(at, next)) = chars.peek() {
            let goes_on = if is_mark(next) {
                true
            } else {
                next.is_alphanumeric() && is_unspaced(next) == unspaced
            };
            if !goes_on {
                break;
            }
            end = at + next.len_utf8();
            chars.next();
        }
        pieces.extend(piece(text, start..end, unspaced));
    }
    pieces
}

fn piece(text: &str, range: Range<usize>, unspaced: bool) -> Option<Piece> {
    let kind = if unspaced {
        let run = text[range.clone()].char_indices();
        let run = run.filter(|(_, one)| !is_mark(*one));
        PieceKind::Run(
            run.map(|(at, one)| {
                let at = range.start + at;
                (at..at + one.len_utf8(), one)
            })
            .collect(),
        )
    } else {
        let word = normal(&text[range.clone()]);
        if word.is_empty() {
            return None;
        }
        PieceKind::Word(word)
    };
    Some(Piece { range, kind })
}

/// Letters and digits of a word as they are compared: however they were composed, wide, or large.
fn normal(word: &str) -> String {
    let composed = if word.is_ascii() {
        Cow::Borrowed(word)
    } else {
        ComposingNormalizerBorrowed::new_nfkc().normalize(word)
    };
    let lower = composed.chars().flat_map(char::to_lowercase);
    lower
        .filter(|one| one.is_alphanumeric())
        .map(|one| if one == 'ё' { 'е' } else { one })
        .take(LONGEST)
        .collect()
}

/// Accents that follow their letter.
const fn is_mark(one: char) -> bool {
    matches!(one, '\u{300}'..='\u{36F}')
}

const fn is_cyrillic(one: char) -> bool {
    matches!(one, '\u{400}'..='\u{52F}')
}

/// Whether it is of a script without spaces between words: Chinese characters and Japanese syllables.
const fn is_unspaced(one: char) -> bool {
    matches!(
        one,
        '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}'
            | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found_by(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn forms_of_a_word_are_one_token() {
        for forms in [
            &["посылка", "посылку", "ПОСЫЛКОЙ", "Посылки"][..],
            &["ещё", "еще", "ЕЩЁ", "еще\u{308}"],
            &["мой", "мои\u{306}"],
            &["order", "Orders", "ORDERS"],
            &["delivery", "deliveries"],
            &["возврат", "возврата", "возвратом"],
            &["12345", "№12345", "#12345.", "１２３４５"],
            &["café", "cafe\u{301}"],
        ] {
            let expected = found_by(forms[0]);
            assert_eq!(expected.len(), 1, "{forms:?}: {expected:?}");
            for form in forms {
                assert_eq!(found_by(form), expected, "{form}");
            }
        }
    }

    #[test]
    fn a_text_is_taken_apart() {
        for (text, expected) in [
            ("", &[][..]),
            ("😀 — !?", &[]),
            ("Где заказ AB-12?", &["где", "заказ", "ab", "12"]),
            ("ab12", &["ab12"]),
            ("快递单号", &["快递", "递单", "单号", "号"]),
            ("iPhone手机", &["iphon", "手机", "机"]),
            ("快", &["快"]),
            ("\" OR * NEAR( - ^ a:b", &["or", "near", "a", "b"]),
            ("½ ⑴ ﷺ", &["12", "1", "صلىاللهعليهوسلم"]),
        ] {
            assert_eq!(found_by(text), expected, "{text}");
        }
    }

    #[test]
    fn a_token_is_where_it_is_said_to_be() {
        let text = "Где моя ПОСЫЛКА, 快递单?";
        let places: Vec<_> = tokens(text).into_iter().map(|token| &text[token.range]).collect();
        assert_eq!(places, ["Где", "моя", "ПОСЫЛКА", "快递", "递单", "单"]);
    }

    proptest! {
        #[test]
        fn no_token_is_split_by_the_index_or_means_something_in_a_query(text in ".*") {
            for token in tokens(&text) {
                prop_assert!(!token.text.is_empty());
                prop_assert!(text.get(token.range.clone()).is_some());
                let whole = |one: char| !one.is_ascii() || one.is_ascii_alphanumeric();
                prop_assert!(token.text.chars().all(whole), "{:?}", token.text);
            }
        }
    }
}
