//! Parameters of the query and the path, read as leniently as clients are used to: what is unknown is
//! ignored, an empty number is no number, of a repeated parameter the first one counts.

use std::borrow::Cow;

use crate::error::Quoted;
use crate::parameter::{Parameter, ParameterKind};
use crate::{ApiError, Errors};

/// A query string, with the errors found in it so far.
///
/// Where a value is wrong, the error is noted and something harmless answered in its place: the
/// request that is built from it is not handed out then (see [`Errors::finish`]).
pub(crate) struct Query<'q, 'e> {
    raw: &'q str,
    errors: &'e mut Errors,
}

impl<'q, 'e> Query<'q, 'e> {
    pub(crate) fn new(raw: &'q str, errors: &'e mut Errors) -> Self {
        Self { raw, errors }
    }

    /// A text that is not empty.
    pub(crate) fn text(&mut self, parameter: &Parameter) -> Option<Cow<'q, str>> {
        let named = |name: &str| name == parameter.name || parameter.aliases.contains(&name);
        form_urlencoded::parse(self.raw.as_bytes())
            .find(|(name, value)| named(name) && !value.is_empty())
            .map(|(_, value)| value)
    }

    /// An id that must be there.
    pub(crate) fn id(&mut self, parameter: &Parameter) -> i64 {
        match self.text(parameter).map(|text| id(parameter.name, &text)) {
            Some(Ok(id)) => return id,
            Some(Err(error)) => self.errors.add(error),
            None => self.errors.add(ApiError::ParameterMissing(parameter.name)),
        }
        0
    }

    /// A number within the parameter's range, or its default.
    pub(crate) fn int32(&mut self, parameter: &Parameter) -> Option<usize> {
        let ParameterKind::Int32 { min, max, default } = parameter.kind else {
            return None;
        };
        let number = match self.text(parameter) {
            None => default,
            Some(text) => match int32(parameter.name, &text, i64::from(min), i64::from(max)) {
                Ok(number) => Some(number),
                Err(error) => {
                    self.errors.add(error);
                    default
                }
            },
        };
        number.and_then(|number| usize::try_from(number).ok())
    }
}

/// Reads an id: an integer of 64 bits, at least 1.
pub fn id(name: &str, text: &str) -> Result<i64, ApiError> {
    let value = integer::<i64>(text)?;
    if value < 1 {
        return Err(ApiError::TooSmall {
            field: name.to_owned(),
            min: 1,
            value,
        });
    }
    Ok(value)
}

fn int32(name: &'static str, text: &str, min: i64, max: i64) -> Result<i32, ApiError> {
    let number = integer::<i32>(text)?;
    let value = i64::from(number);
    let field = || name.to_owned();
    if value < min {
        return Err(ApiError::TooSmall {
            field: field(),
            min,
            value,
        });
    }
    if value > max {
        // The one parameter for which upstream has a message of its own.
        return Err(match name {
            "limit" => ApiError::LimitTooGreat { max, value },
            _ => ApiError::TooGreat {
                field: field(),
                max,
                value,
            },
        });
    }
    Ok(number)
}

fn integer<T: std::str::FromStr>(text: &str) -> Result<T, ApiError> {
    text.trim()
        .parse()
        .map_err(|_| ApiError::TypeMismatch(Quoted::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::{CHAT_ID, LIMIT_CHATS, PAGE, PAGE_TOKEN};

    fn read<T>(raw: &str, read: impl FnOnce(&mut Query) -> T) -> Result<T, String> {
        let mut errors = Errors::new();
        let value = read(&mut Query::new(raw, &mut errors));
        errors.finish(value).map_err(|failure| failure.to_string())
    }

    #[test]
    fn ids() {
        for (raw, expected) in [
            ("chatId=5", Ok(5)),
            ("a=b&chatId=5&chatId=6&%ff&&=", Ok(5)),
            ("chatId=%35", Ok(5)),
            ("chatId=+5", Ok(5)),
            ("chatId=9223372036854775807", Ok(i64::MAX)),
            ("", Err("Required request parameter 'chatId' is not present")),
            (
                "chatid=5&chatId=",
                Err("Required request parameter 'chatId' is not present"),
            ),
            ("chatId=abc", Err("Type mismatch: 'abc'")),
            (
                "chatId=9223372036854775808",
                Err("Type mismatch: '9223372036854775808'"),
            ),
            ("chatId=1.0", Err("Type mismatch: '1.0'")),
            (
                "chatId=0",
                Err("'chatId' must be greater than or equal to '1' (rejected value: '0')"),
            ),
            (
                "chatId=-3",
                Err("'chatId' must be greater than or equal to '1' (rejected value: '-3')"),
            ),
        ] {
            let expected = expected.map_err(str::to_owned);
            assert_eq!(read(raw, |query| query.id(&CHAT_ID)), expected, "{raw}");
        }
    }

    #[test]
    fn numbers_in_a_range() {
        for (raw, parameter, expected) in [
            ("", &LIMIT_CHATS, Ok(Some(10))),
            ("limit=20", &LIMIT_CHATS, Ok(Some(20))),
            ("limit=", &LIMIT_CHATS, Ok(Some(10))),
            ("limit=x", &LIMIT_CHATS, Err("Type mismatch: 'x'")),
            (
                "limit=2147483648",
                &LIMIT_CHATS,
                Err("Type mismatch: '2147483648'"),
            ),
            (
                "limit=50",
                &LIMIT_CHATS,
                Err("Parameter limit must be less than or equal to '20' (rejected value: '50')"),
            ),
            (
                "limit=0",
                &LIMIT_CHATS,
                Err("'limit' must be greater than or equal to '1' (rejected value: '0')"),
            ),
            (
                "page=10001",
                &PAGE,
                Err("'page' must be less than or equal to '10000' (rejected value: '10001')"),
            ),
        ] {
            let expected = expected.map_err(str::to_owned);
            assert_eq!(read(raw, |query| query.int32(parameter)), expected, "{raw}");
        }
    }

    #[test]
    fn page_tokens_have_two_names() {
        for (raw, expected) in [
            ("pageToken=a", Some("a")),
            ("page_token=b", Some("b")),
            ("pageToken=&page_token=b", Some("b")),
            ("pagetoken=c", None),
        ] {
            let token = read(raw, |query| query.text(&PAGE_TOKEN).map(Cow::into_owned));
            assert_eq!(token, Ok(expected.map(str::to_owned)), "{raw}");
        }
    }
}
