//! The part of a text that shows why it was found.

use super::Words;
use super::tokens::tokens;

/// Characters that are shown.
const SHOWN: usize = 160;
/// Characters before the first word that was found.
const BEFORE: usize = 40;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The text.
    pub text: String,
    /// Whether it is what was looked for.
    pub found: bool,
}

impl Words {
    /// The part of a text around the first of the words, in parts; what was left out is an ellipsis.
    #[must_use]
    pub fn snippet(&self, text: &str) -> Vec<Part> {
        let found = tokens(text).into_iter().filter(|token| self.mean(&token.text));
        let mut found = found.map(|token| token.range).peekable();
        let first = found.peek().map_or(0, |range| range.start);
        let start = text[..first]
            .char_indices()
            .rev()
            .nth(BEFORE - 1)
            .map_or(0, |(at, _)| at);
        let end = text[start..]
            .char_indices()
            .nth(SHOWN)
            .map_or(text.len(), |(at, _)| start + at);
        let mut parts: Vec<Part> = Vec::new();
        let mut push = |piece: &str, found: bool| match parts.last_mut() {
            _ if piece.is_empty() => {}
            Some(last) if last.found == found => last.text.push_str(piece),
            _ => parts.push(Part {
                text: piece.to_owned(),
                found,
            }),
        };
        push(if start > 0 { "…" } else { "" }, false);
        let mut at = start;
        for range in found.take_while(|range| range.start < end) {
            // Pairs of characters overlap.
            let from = range.start.max(at);
            let to = range.end.clamp(from, end.max(from));
            push(&text[at..from], false);
            push(&text[from..to], true);
            at = to;
        }
        push(&text[at..end.max(at)], false);
        push(if end < text.len() { "…" } else { "" }, false);
        parts
    }

    /// Whether all of the words are in the texts.
    #[must_use]
    pub fn are_in(&self, texts: &[&str]) -> bool {
        let tokens: Vec<_> = texts.iter().flat_map(|text| tokens(text)).collect();
        let tokens: Vec<_> = tokens.into_iter().map(|token| token.text).collect();
        self.are_all_in(&tokens)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(words: &str, text: &str) -> String {
        let parts = Words::new(words).snippet(text);
        let parts = parts.into_iter();
        parts
            .map(|part| {
                if part.found {
                    format!("[{}]", part.text)
                } else {
                    part.text
                }
            })
            .collect()
    }

    #[test]
    fn words_are_marked_in_every_form() {
        assert_eq!(marked("посылка", "Где посылку искать?"), "Где [посылку] искать?");
        assert_eq!(marked("递单", "快递单号"), "快[递单]号");
        assert_eq!(marked("快递单", "快递单号"), "[快递单]号");
        assert_eq!(marked("x", "<b>x</b>"), "<b>[x]</b>");
        assert_eq!(marked("nothing", "Где"), "Где");
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_of_them() {
        let text = format!("{}посылка{}", "а ".repeat(100), " б".repeat(100));
        let shown = marked("посылка", &text);
        assert!(shown.starts_with("…") && shown.ends_with("…"), "{shown}");
        assert!(
            shown.contains("[посылка]") && shown.chars().count() < 170,
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn a_snippet_is_a_part_of_the_text(words in ".{0,20}", text in ".{0,400}") {
            let parts = Words::new(&words).snippet(&text);
            let shown: String = parts.iter().map(|part| part.text.as_str()).collect();
            let shown = shown.strip_prefix('…').unwrap_or(&shown);
            let shown = shown.strip_suffix('…').unwrap_or(shown);
            prop_assert!(text.contains(shown));
        }
    }
}
