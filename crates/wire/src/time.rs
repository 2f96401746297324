//! How instants are shown: RFC 3339 with an offset in bodies, an IMF-fixdate in headers.

use std::fmt;
use std::str::FromStr;

use jiff::fmt::rfc2822;
use jiff::tz::Offset;
use prilavok_domain::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The offset from UTC that date-times are shown with: whole minutes, within ±18:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UtcOffset {
    minutes: i32,
}

/// A text that is no offset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an offset is written like +03:00, from -18:00 to +18:00, not `{0}`")]
pub struct InvalidOffset(String);

impl UtcOffset {
    /// No offset: `+00:00`.
    pub const UTC: Self = Self { minutes: 0 };

    const MAX_MINUTES: i32 = 18 * 60;

    /// Minutes ahead of UTC; negative behind it.
    #[must_use]
    pub const fn minutes(self) -> i32 {
        self.minutes
    }

    /// As it is written: `+03:00`.
    fn text(self) -> [u8; 6] {
        let sign = if self.minutes < 0 { b'-' } else { b'+' };
        // At most 18 hours.
        let minutes = u16::try_from(self.minutes.unsigned_abs()).unwrap_or_default();
        let ([h1, h0], [m1, m0]) = (two_digits(minutes / 60), two_digits(minutes % 60));
        [sign, h1, h0, b':', m1, m0]
    }
}

impl FromStr for UtcOffset {
    type Err = InvalidOffset;

    /// Reads `+03:00`, `-11:30` or `Z`.
    fn from_str(text: &str) -> Result<Self, InvalidOffset> {
        let digit = |byte: u8| byte.is_ascii_digit().then(|| i32::from(byte - b'0'));
        let minutes = match text.as_bytes() {
            b"Z" => Some(0),
            [sign @ (b'+' | b'-'), h1, h0, b':', m1, m0] => (|| {
                let minutes = digit(*m1)? * 10 + digit(*m0)?;
                let total = (digit(*h1)? * 10 + digit(*h0)?) * 60 + minutes;
                (minutes < 60).then_some(if *sign == b'-' { -total } else { total })
            })(),
            _ => None,
        };
        match minutes {
            Some(minutes) if minutes.abs() <= Self::MAX_MINUTES => Ok(Self { minutes }),
            _ => Err(InvalidOffset(text.chars().take(40).collect())),
        }
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only ASCII was written.
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// An instant with the offset that it is shown with: `2017-11-21T00:00:00+03:00`, with milliseconds
/// where they are not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// The instant.
    pub at: Timestamp,
    /// The offset.
    pub offset: UtcOffset,
}

/// `YYYY-MM-DDTHH:MM:SS.mmm+HH:MM`.
const MAX_LENGTH: usize = 29;

impl DateTime {
    /// Writes the text to the start of `buffer`, answers it. Every answer with a chat passes here several times, one with a
    /// page of messages fifty times, so it is put together by hand, each part at a place that is known beforehand.
    fn write(self, buffer: &mut [u8; MAX_LENGTH]) -> &str {
        let offset = Offset::from_seconds(self.offset.minutes * 60).unwrap_or(Offset::UTC);
        // A `Timestamp` keeps to years that every offset can show.
        let instant = jiff::Timestamp::from_millisecond(self.at.as_millis()).unwrap_or_default();
        let local = offset.to_datetime(instant);
        let [c1, c0] = two_digits(local.year().unsigned_abs() / 100);
        let [y1, y0] = two_digits(local.year().unsigned_abs() % 100);
        let small = |number: i8| two_digits(number.unsigned_abs().into());
        let ([m1, m0], [d1, d0]) = (small(local.month()), small(local.day()));
        let [h1, h0] = small(local.hour());
        let [n1, n0] = small(local.minute());
        let [s1, s0] = small(local.second());
        let [sign, o1, o0, colon, p1, p0] = self.offset.text();
        let millis = local.millisecond().unsigned_abs();
        let ([t1, t0], [_, u0]) = (two_digits(millis / 10), two_digits(millis % 10));
        let (length, [e9, e8, e7, e6, e5, e4, e3, e2, e1, e0]) = match millis {
            0 => (MAX_LENGTH - 4, [sign, o1, o0, colon, p1, p0, 0, 0, 0, 0]),
            _ => (MAX_LENGTH, [b'.', t1, t0, u0, sign, o1, o0, colon, p1, p0]),
        };
        *buffer = [
            c1, c0, y1, y0, b'-', m1, m0, b'-', d1, d0, b'T', h1, h0, b':', n1, n0, b':', s1, s0, e9, e8, e7,
            e6, e5, e4, e3, e2, e1, e0,
        ];
        // Only ASCII was written.
        std::str::from_utf8(&buffer[..length]).unwrap_or_default()
    }
}

/// The last two digits of a number.
fn two_digits(number: u16) -> [u8; 2] {
    TWO_DIGITS[usize::from(number % 100)]
}

/// `00` to `99`: to look two digits up is faster than to divide for each.
static TWO_DIGITS: [[u8; 2]; 100] = {
    let mut all = [[b'0'; 2]; 100];
    let mut number = 0_u8;
    while number < 100 {
        all[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    all
};

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write(&mut [0; MAX_LENGTH]))
    }
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.write(&mut [0; MAX_LENGTH]))
    }
}

impl PartialSchema for DateTime {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .examples(["2017-11-21T00:00:00+03:00"])
            .into()
    }
}

impl ToSchema for DateTime {}

/// An instant in UTC with milliseconds, always of the same length: `2017-11-21T00:00:00.213Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utc(pub Timestamp);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every `Timestamp` is one that jiff can show.
        let instant = jiff::Timestamp::from_millisecond(self.0.as_millis()).unwrap_or_default();
        write!(f, "{instant:.3}")
    }
}

/// A text that is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an instant like 2025-01-16T10:09:49.759Z, of the years 1970 to 9999")]
pub struct InvalidInstant;

impl FromStr for Utc {
    type Err = InvalidInstant;

    /// Reads RFC 3339 with any offset. What is finer than milliseconds is rounded up: what comes at or after the
    /// instant then is what came at or after the text, for everything that is kept in milliseconds.
    fn from_str(text: &str) -> Result<Self, InvalidInstant> {
        let instant: jiff::Timestamp = text.parse().map_err(|_| InvalidInstant)?;
        let finer = instant.subsec_nanosecond() % 1_000_000 > 0;
        let millis = instant.as_millisecond() + i64::from(finer);
        Timestamp::from_millis(millis).map(Self).ok_or(InvalidInstant)
    }
}

impl Serialize for Utc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An instant as HTTP headers write it: `Tue, 09 Jan 2024 14:05:00 GMT`.
#[must_use]
pub fn http_date(at: Timestamp) -> String {
    let instant = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    // Fails for years beyond four digits only, which a `Timestamp` does not have.
    rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&instant)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).expect("in range")
    }

    #[test]
    fn date_times_are_shown_with_their_offset() {
        for (millis, offset, text) in [
            (1_511_211_600_000, "+03:00", "2017-11-21T00:00:00+03:00"),
            (1_511_211_600_213, "+03:00", "2017-11-21T00:00:00.213+03:00"),
            (1_511_211_600_007, "Z", "2017-11-20T21:00:00.007+00:00"),
            (0, "-18:00", "1969-12-31T06:00:00-18:00"),
            (253_402_207_200_000, "+18:00", "9999-12-31T16:00:00+18:00"),
            (1_709_164_800_000, "-09:30", "2024-02-28T14:30:00-09:30"),
        ] {
            let offset = offset.parse().expect("an offset");
            assert_eq!(
                DateTime {
                    at: at(millis),
                    offset
                }
                .to_string(),
                text
            );
        }
    }

    proptest! {
        #[test]
        fn date_times_say_the_same_to_whoever_reads_them(
            millis in 0..=253_402_207_200_000_i64,
            whole_second in any::<bool>(),
            minutes in -UtcOffset::MAX_MINUTES..=UtcOffset::MAX_MINUTES,
        ) {
            let millis = if whole_second { millis / 1000 * 1000 } else { millis };
            let offset = UtcOffset { minutes };
            let text = DateTime { at: at(millis), offset }.to_string();
            let read: jiff::Timestamp = text.parse().expect("RFC 3339");
            prop_assert_eq!(read.as_millisecond(), millis, "{}", text);
            prop_assert!(text.ends_with(&offset.to_string()), "{}", text);
            prop_assert_eq!(text.len(), if millis % 1000 == 0 { 25 } else { 29 }, "{}", text);
        }
    }

    #[test]
    fn offsets() {
        for text in ["+03:00", "-18:00", "+05:45", "+00:00"] {
            assert_eq!(text.parse::<UtcOffset>().expect(text).to_string(), text);
        }
        for text in [
            "",
            "3",
            "+3:00",
            "+18:01",
            "+03:60",
            "03:00",
            "+0300",
            "+03:0x",
            "Europe/Moscow",
        ] {
            assert!(text.parse::<UtcOffset>().is_err(), "{text}");
        }
    }

    #[test]
    fn instants_in_utc_have_milliseconds_always() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_737_022_189_759, "2025-01-16T10:09:49.759Z"),
            (253_402_207_200_000, "9999-12-30T22:00:00.000Z"),
        ] {
            assert_eq!(Utc(at(millis)).to_string(), text);
        }
    }

    #[test]
    fn instants_are_read_with_any_offset() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2025-01-16T13:09:49.759+03:00", 1_737_022_189_759),
            ("2025-01-16T10:09:49.758000001Z", 1_737_022_189_759),
        ] {
            assert_eq!(text.parse(), Ok(Utc(at(millis))), "{text}");
        }
        for text in [
            "",
            "now",
            "2025-01-16",
            "2025-01-16T10:09:49",
            "1969-12-31T23:59:59Z",
            "1737022189",
        ] {
            assert_eq!(text.parse::<Utc>(), Err(InvalidInstant), "{text}");
        }
    }

    #[test]
    fn header_dates() {
        assert_eq!(http_date(at(1_704_809_100_000)), "Tue, 09 Jan 2024 14:05:00 GMT");
    }
}
