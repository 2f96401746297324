//! The languages that pages speak, and which one a reader wants.

use crate::texts::Texts;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English, and whatever is not spoken here.
    #[default]
    En,
    /// Russian.
    Ru,
    /// Chinese, in simplified characters.
    Zh,
}

impl Language {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::En, Self::Ru, Self::Zh];

    /// The tag of the language, as `lang` attributes have it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ru => "ru",
            Self::Zh => "zh-Hans",
        }
    }

    /// What the language calls itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Ru => "Русский",
            Self::Zh => "中文",
        }
    }

    /// The language with this tag, whatever region or script it names beside.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "en" => Some(Self::En),
            "ru" => Some(Self::Ru),
            "zh" => Some(Self::Zh),
            _ => None,
        }
    }

    /// The one that an `Accept-Language` header likes best.
    #[must_use]
    pub fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(Self, f32)> = None;
        for range in header.split(',') {
            let mut parts = range.split(';');
            let Some(language) = parts.next().and_then(Self::of_tag) else {
                continue;
            };
            let quality = parts
                .find_map(|part| part.trim().strip_prefix("q="))
                .map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
            if quality > best.map_or(0.0, |(_, before)| before) {
                best = Some((language, quality));
            }
        }
        best.map(|(language, _)| language)
    }

    /// The texts of the pages in it.
    #[must_use]
    pub const fn texts(self) -> &'static Texts {
        match self {
            Self::En => &crate::texts::en::TEXTS,
            Self::Ru => &crate::texts::ru::TEXTS,
            Self::Zh => &crate::texts::zh::TEXTS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_language_that_is_spoken_here_counts() {
        for (header, expected) in [
            ("ru-RU,ru;q=0.9,en;q=0.8", Some(Language::Ru)),
            ("zh-CN", Some(Language::Zh)),
            ("zh_TW;q=0.3, en-GB;q=0.4", Some(Language::En)),
            ("de, fr;q=0.9, ru;q=0.1", Some(Language::Ru)),
            ("en;q=0.5, ru;q=0.5", Some(Language::En)),
            ("ru;q=0, en;q=x", None),
            ("de", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
    }
}
