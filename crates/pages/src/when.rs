//! Instants and spans as pages show them. A page shows UTC; the browser makes it the reader's own time.

use prilavok_domain::Timestamp;

use crate::language::Language;

/// An instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When(pub Timestamp);

impl When {
    /// For programs: `2026-11-24T08:57:09.841Z`.
    #[must_use]
    pub fn iso(&self) -> String {
        self.formatted("%Y-%m-%dT%H:%M:%S%.3fZ")
    }

    /// For people whose browser runs no scripts: `2026-11-24 08:57 UTC`.
    #[must_use]
    pub fn shown(&self) -> String {
        self.formatted("%Y-%m-%d %H:%M UTC")
    }

    fn formatted(&self, format: &str) -> String {
        jiff::Timestamp::from_millisecond(self.0.as_millis())
            .map(|instant| instant.strftime(format).to_string())
            .unwrap_or_default()
    }
}

/// An instant, as templates have it.
pub(crate) const fn when(at: &Timestamp) -> When {
    When(*at)
}

/// How long something has been waiting, in the largest unit that it fills: `5 min`.
#[must_use]
pub fn span(language: Language, millis: i64) -> String {
    let t = &language.texts().time;
    let minutes = millis.max(0) / 60_000;
    match minutes {
        0 => t.now.to_owned(),
        1..60 => format!("{minutes}{}", t.minutes),
        60..1440 => format!("{}{}", minutes / 60, t.hours),
        _ => format!("{}{}", minutes / 1440, t.days),
    }
}

/// How many bytes a file has: `1.4 MB`.
#[must_use]
pub fn size(language: Language, bytes: u64) -> String {
    let t = &language.texts().time;
    let tenths = |unit: u64| {
        let tenths = (bytes * 10).div_ceil(unit);
        format!("{}{}{}", tenths / 10, t.decimal, tenths % 10)
    };
    match bytes {
        0..1024 => format!("{bytes} {}", t.bytes),
        1024..1_048_576 => format!("{} {}", bytes.div_ceil(1024), t.kilobytes),
        _ => format!("{} {}", tenths(1_048_576), t.megabytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_spans_and_sizes() {
        let when = When(Timestamp::from_millis(1_511_222_400_213).expect("in range"));
        assert_eq!(when.iso(), "2017-11-21T00:00:00.213Z");
        assert_eq!(when.shown(), "2017-11-21 00:00 UTC");
        for (millis, expected) in [
            (-5, "сейчас"),
            (59_999, "сейчас"),
            (60_000, "1 мин"),
            (3_600_000, "1 ч"),
            (86_400_000 * 3, "3 д"),
        ] {
            assert_eq!(span(Language::Ru, millis), expected);
        }
        assert_eq!(size(Language::En, 900), "900 B");
        assert_eq!(size(Language::En, 1025), "2 KB");
        assert_eq!(size(Language::Ru, 1_468_006), "1,4 МБ");
    }
}
