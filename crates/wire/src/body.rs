//! JSON bodies, read as leniently as clients are used to: what is unknown is ignored, null is absent, a
//! whole number may stand in quotes. Every wrong field is noted, so that all are answered together.

use serde_json::{Map, Value};

use crate::error::Quoted;
use crate::request::Received;
use crate::{ApiError, Errors};

/// Reads a body that must be an object. Where it is not, that is noted and there are no fields.
pub(crate) fn object(received: Received<'_>, errors: &mut Errors) -> Option<Map<String, Value>> {
    let bytes = match received {
        Ok(bytes) => bytes,
        Err(error) => {
            errors.add_last(error.clone());
            return None;
        }
    };
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        errors.add(ApiError::BodyMissing);
        return None;
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => return Some(fields),
        Ok(Value::Null) => errors.add(ApiError::BodyMissing),
        Ok(_) => errors.add(ApiError::IllegalInput("$".to_owned())),
        Err(error) if error.is_eof() => errors.add(ApiError::UnexpectedEnd),
        Err(error) => errors.add(ApiError::Json(error.to_string())),
    }
    None
}

/// The fields of an object, with the errors found in the body so far.
pub(crate) struct Fields<'a> {
    fields: &'a Map<String, Value>,
    /// What stands before a field's name in messages: nothing, or a path that ends with a dot.
    prefix: &'a str,
    errors: &'a mut Errors,
}

/// A value and where it stands.
pub(crate) struct Element<'a> {
    value: &'a Value,
    path: &'a str,
    errors: &'a mut Errors,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(fields: &'a Map<String, Value>, errors: &'a mut Errors) -> Self {
        Self {
            fields,
            prefix: "",
            errors,
        }
    }

    /// The field, unless it is absent or null.
    pub(crate) fn get<T>(&mut self, name: &str, read: impl FnOnce(Element) -> Option<T>) -> Option<T> {
        let value = self.fields.get(name).filter(|value| !value.is_null())?;
        read(Element {
            value,
            path: &format!("{}{name}", self.prefix),
            errors: self.errors,
        })
    }

    /// Whether the field is there and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null())
    }

    /// A field that must be there.
    pub(crate) fn require<T>(&mut self, name: &str, read: impl FnOnce(Element) -> Option<T>) -> Option<T> {
        if !self.has(name) {
            self.errors.add(ApiError::Null(format!("{}{name}", self.prefix)));
            return None;
        }
        self.get(name, read)
    }

    /// Notes that fields which are right by themselves do not go together.
    pub(crate) fn contradiction(&mut self, error: ApiError) {
        self.errors.add(error);
    }

    /// A list without repetitions, in order; empty where it is absent or null.
    pub(crate) fn set<T: Ord>(&mut self, name: &str, read: impl FnMut(Element) -> Option<T>) -> Vec<T> {
        let mut items = self.get(name, |list| list.items(read)).unwrap_or_default();
        items.sort_unstable();
        items.dedup();
        items
    }
}

impl Element<'_> {
    fn illegal<T>(self) -> Option<T> {
        self.errors.add(ApiError::IllegalInput(self.path.to_owned()));
        None
    }

    /// One of a set of names.
    pub(crate) fn name<T>(self, of: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        match self.value.as_str().and_then(of) {
            Some(named) => Some(named),
            None => self.illegal(),
        }
    }

    /// A text of `min` to `max` characters, without NUL.
    pub(crate) fn text(self, min: usize, max: usize) -> Option<String> {
        let Value::String(text) = self.value else {
            return self.illegal();
        };
        if text.contains('\0') {
            return self.illegal();
        }
        let size = text.chars().count();
        let field = || self.path.to_owned();
        self.errors.add(if size < min {
            ApiError::TooShort {
                field: field(),
                min,
                max,
                value: Quoted::new(text),
            }
        } else if size > max {
            ApiError::TooLong {
                field: field(),
                min,
                max,
                size,
            }
        } else {
            return Some(text.clone());
        });
        None
    }

    /// An object.
    pub(crate) fn object<T>(self, read: impl FnOnce(Fields) -> Option<T>) -> Option<T> {
        let Value::Object(fields) = self.value else {
            return self.illegal();
        };
        read(Fields {
            fields,
            prefix: &format!("{}.", self.path),
            errors: self.errors,
        })
    }

    fn items<T>(self, mut read: impl FnMut(Element) -> Option<T>) -> Option<Vec<T>> {
        let Value::Array(items) = self.value else {
            return self.illegal();
        };
        let field = || self.path.to_owned();
        if items.is_empty() {
            self.errors.add(ApiError::Empty {
                field: field(),
                value: Quoted::new("[]"),
            });
            return None;
        }
        if items.iter().any(Value::is_null) {
            self.errors.add(ApiError::NullElement {
                field: field(),
                value: Quoted::new(&self.value.to_string()),
            });
            return None;
        }
        // Every item is read even if one before it was wrong: all errors come together.
        let read: Vec<Option<T>> = items
            .iter()
            .enumerate()
            .map(|(index, value)| {
                read(Element {
                    value,
                    path: &format!("{}[{index}]", self.path),
                    errors: self.errors,
                })
            })
            .collect();
        read.into_iter().collect()
    }
}

/// From 2^53 on a double stands for several whole numbers: which one was meant, nobody knows.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A whole number, in quotes or not.
pub(crate) fn integer(element: Element<'_>) -> Option<i64> {
    let number = match element.value {
        Value::Number(number) => number.as_i64().or_else(|| {
            // `5.0` is a whole number, written by a client that only knows doubles.
            let double = number.as_f64().filter(|double| double.abs() < EXACT)?;
            double.to_string().parse().ok()
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    if number.is_none() {
        return element.illegal();
    }
    number
}

/// A whole number, at least 1.
pub(crate) fn id(element: Element<'_>) -> Option<i64> {
    let Element { value, path, errors } = element;
    let number = integer(Element {
        value,
        path,
        errors: &mut *errors,
    })?;
    if number < 1 {
        errors.add(ApiError::TooSmall {
            field: path.to_owned(),
            min: 1,
            value: number,
        });
        return None;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<(), String> {
        let mut errors = Errors::new();
        object(Ok(body.as_bytes()), &mut errors);
        errors.finish(()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn bodies() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        for (body, expected) in [
            ("{}", Ok(())),
            ("\u{FEFF} {\"x\":[null,1.5,{\"y\":\"\\u0000\"}]} ", Ok(())),
            ("", Err("Required request body is missing")),
            (" \r\n", Err("Required request body is missing")),
            ("null", Err("Required request body is missing")),
            ("[]", Err("Illegal input at '$'")),
            ("{\"a\":", Err("Unexpected end of content")),
            ("{a:1}", Err("JSON: key must be a string at line 1 column 2")),
            ("{} x", Err("JSON: trailing characters at line 1 column 4")),
            (
                "{\"a\":\"\\ud800\"}",
                Err("JSON: unexpected end of hex escape at line 1 column 13"),
            ),
            (&deep, Err("JSON: recursion limit exceeded at line 1 column 132")),
        ] {
            assert_eq!(parse(body), expected.map_err(str::to_owned), "{body:.40}");
        }
    }

    fn number(json: &str) -> Result<Option<i64>, String> {
        let value: Value = serde_json::from_str(json).expect("JSON");
        let mut errors = Errors::new();
        let number = integer(Element {
            value: &value,
            path: "n",
            errors: &mut errors,
        });
        errors.finish(number).map_err(|failure| failure.to_string())
    }

    #[test]
    fn whole_numbers() {
        for (json, expected) in [
            ("5", Some(5)),
            ("\"5\"", Some(5)),
            ("\" -5 \"", Some(-5)),
            ("5.0", Some(5)),
            ("5e2", Some(500)),
            ("9007199254740991.0", Some(9_007_199_254_740_991)),
            ("-900719925474099.1e1", Some(-9_007_199_254_740_991)),
            ("9007199254740992.0", None),
            ("133333300000100913.33", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("5.5", None),
            ("\"5.5\"", None),
            ("\"\"", None),
            ("true", None),
            ("[5]", None),
        ] {
            let expected = expected
                .map(Some)
                .ok_or_else(|| "Illegal input at 'n'".to_owned());
            assert_eq!(number(json), expected, "{json}");
        }
    }
}
