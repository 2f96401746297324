//! Reading request bodies field by field, so that one answer names everything that is wrong: what is
//! missing, unknown, of the wrong type or out of range.

use std::str::FromStr;

use prilavok_domain::id::{MAX_ID, OutOfRange};
use prilavok_domain::{Name, PublicId, Timestamp};
use prilavok_wire::time;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};

use super::error::{ApiError, Problem};
use super::names::Named;

/// More problems than these are of no use to anybody.
const MAX_PROBLEMS: usize = 100;

/// Longer lists of an enumeration's names are nobody's.
const MAX_NAMES: usize = 1_000;

/// A request body, or a part of one, that knows its fields.
pub(crate) trait FromFields: Sized {
    /// Reads the fields; `None` where a problem was noted.
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self>;
}

/// Reads a whole body.
pub(crate) fn read<T: FromFields>(body: &Value) -> Result<T, ApiError> {
    let mut problems = Vec::new();
    let Value::Object(object) = body else {
        return Err(ApiError::field("body", "must be a JSON object"));
    };
    let read = Fields::new(object, String::new(), &mut problems).all();
    match read {
        Some(read) if problems.is_empty() => Ok(read),
        _ => Err(ApiError::invalid(problems)),
    }
}

/// The fields of one JSON object.
pub(crate) struct Fields<'a> {
    object: &'a Map<String, Value>,
    /// The object's own path within the body; empty for the body itself.
    path: String,
    asked: Vec<&'static str>,
    lenient: bool,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Fields<'a> {
    fn new(object: &'a Map<String, Value>, path: String, problems: &'a mut Vec<Problem>) -> Self {
        Self {
            object,
            path,
            asked: Vec::new(),
            lenient: false,
            problems,
        }
    }

    /// A field that must be there. As everywhere, `null` is as good as absent.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Result<T, String>,
    ) -> Option<T> {
        match self.optional(name, read)? {
            Some(value) => Some(value),
            None => self.problem(name, "is required"),
        }
    }

    /// A field that may be absent; the outer `None` is for one that is wrong.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Result<T, String>,
    ) -> Option<Option<T>> {
        match self.value(name).map(read) {
            None => Some(None),
            Some(Ok(value)) => Some(Some(value)),
            Some(Err(problem)) => self.problem(name, problem),
        }
    }

    /// A field that must not be there.
    pub(crate) fn absent(&mut self, name: &'static str, problem: &str) -> Option<()> {
        match self.value(name) {
            None => Some(()),
            Some(_) => self.problem(name, problem),
        }
    }

    /// An object that must be there.
    pub(crate) fn object<T: FromFields>(&mut self, name: &'static str) -> Option<T> {
        match self.value(name) {
            None => self.problem(name, "is required"),
            Some(Value::Object(object)) => Fields::new(object, self.at(name), self.problems).all(),
            Some(_) => self.problem(name, "must be an object"),
        }
    }

    /// A list of objects that must be there.
    pub(crate) fn objects<T: FromFields>(&mut self, name: &'static str, max: usize) -> Option<Vec<T>> {
        let items = self.required(name, |value| array(value, max))?;
        let list = self.at(name);
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = format!("{list}[{index}]");
            match item {
                Value::Object(object) => read.extend(Fields::new(object, path, self.problems).all::<T>()),
                _ => self.problems.push(Problem::new(path, "must be an object")),
            }
            if self.problems.len() >= MAX_PROBLEMS {
                break;
            }
        }
        (read.len() == items.len()).then_some(read)
    }

    /// A list of values that may be absent; the outer `None` is for one that is wrong.
    pub(crate) fn values<T>(
        &mut self,
        name: &'static str,
        max: usize,
        read: impl Fn(&'a Value) -> Result<T, String>,
    ) -> Option<Option<Vec<T>>> {
        let Some(items) = self.optional(name, |value| array(value, max))? else {
            return Some(None);
        };
        let list = self.at(name);
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match read(item) {
                Ok(value) => values.push(value),
                Err(problem) => self
                    .problems
                    .push(Problem::new(format!("{list}[{index}]"), problem)),
            }
        }
        (values.len() == items.len()).then_some(Some(values))
    }

    /// A set of an enumeration's names that may be absent but not empty.
    pub(crate) fn some_of<T: Named, S: FromIterator<T>>(&mut self, name: &'static str) -> Option<Option<S>> {
        match self.values(name, MAX_NAMES, named)? {
            Some(names) if names.is_empty() => self.problem(name, "must have at least one element"),
            names => Some(names.map(S::from_iter)),
        }
    }

    /// Notes what is wrong with a field.
    pub(crate) fn problem<T>(&mut self, name: &str, problem: impl std::fmt::Display) -> Option<T> {
        let field = self.at(name);
        self.problems.push(Problem::new(field, problem));
        None
    }

    /// Lets fields pass that are not asked for, where it cannot be known which ones belong here.
    pub(crate) fn let_all_pass(&mut self) {
        self.lenient = true;
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.push(name);
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn at(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// Reads the object, and refuses fields that were not asked for.
    fn all<T: FromFields>(mut self) -> Option<T> {
        let read = T::from_fields(&mut self);
        if self.lenient {
            return read;
        }
        for name in self
            .object
            .keys()
            .filter(|name| !self.asked.contains(&name.as_str()))
        {
            let field = self.at(&name.chars().take(100).collect::<String>());
            self.problems.push(Problem::new(field, "is not known here"));
            if self.problems.len() >= MAX_PROBLEMS {
                break;
            }
        }
        read
    }
}

fn array(value: &Value, max: usize) -> Result<&Vec<Value>, String> {
    match value {
        Value::Array(items) if items.len() <= max => Ok(items),
        Value::Array(items) => Err(format!("must have at most {max} elements, not {}", items.len())),
        _ => Err("must be an array".to_owned()),
    }
}

/// Reads a text.
pub(crate) fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "must be a string".to_owned())
}

/// Reads a name.
pub(crate) fn name(value: &Value) -> Result<Name, String> {
    Name::new(text(value)?).map_err(|error| error.to_string())
}

/// Reads a customer's id.
pub(crate) fn public_id(value: &Value) -> Result<PublicId, String> {
    PublicId::new(text(value)?).map_err(|error| error.to_string())
}

/// Reads `true` or `false`.
pub(crate) fn boolean(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "must be true or false".to_owned())
}

/// Reads an instant.
pub(crate) fn instant(value: &Value) -> Result<Timestamp, String> {
    instant_text(text(value)?)
}

/// Reads an instant that is written as text.
pub(crate) fn instant_text(text: &str) -> Result<Timestamp, String> {
    let read: Result<time::Utc, _> = text.parse();
    read.map(|instant| instant.0).map_err(|error| error.to_string())
}

/// Reads one of an enumeration's names.
pub(crate) fn named<T: Named>(value: &Value) -> Result<T, String> {
    one_of(text(value)?)
}

/// Reads one of an enumeration's names.
pub(crate) fn one_of<T: Named + FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| {
        let names: Vec<&str> = T::ALL.iter().map(|name| name.text()).collect();
        format!("must be one of {}", names.join(", "))
    })
}

/// Reads an id.
pub(crate) fn json_id<T: TryFrom<i64, Error = OutOfRange>>(value: &Value) -> Result<T, String> {
    id_number(value.as_i64()).and_then(id)
}

/// Reads an id that is written as text.
pub(crate) fn text_id<T: TryFrom<i64, Error = OutOfRange>>(text: &str) -> Result<T, String> {
    id_number(text.parse().ok()).and_then(id)
}

/// Makes an id of a number.
pub(crate) fn id<T: TryFrom<i64, Error = OutOfRange>>(number: i64) -> Result<T, String> {
    T::try_from(number).map_err(|error| error.to_string())
}

/// A number that can be an id; `None` is for what is no integer at all.
pub(crate) fn id_number(number: Option<i64>) -> Result<i64, String> {
    match number {
        Some(number) if (1..=MAX_ID).contains(&number) => Ok(number),
        _ => Err(format!("must be an integer from 1 to {MAX_ID}")),
    }
}

/// How the API's document describes an id.
pub(crate) fn id_schema() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1.0))
        .maximum(Some(9_007_199_254_740_991.0))
        .into()
}

#[cfg(test)]
mod tests {
    use prilavok_domain::{BusinessId, ChatType};
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Inner(ChatType);

    impl FromFields for Inner {
        fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
            fields.required("type", named).map(Self)
        }
    }

    #[derive(Debug, PartialEq)]
    struct Outer {
        id: BusinessId,
        name: Option<Name>,
        items: Vec<Inner>,
    }

    impl FromFields for Outer {
        fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
            let id = fields.required("id", json_id);
            let name = fields.optional("name", name);
            let items = fields.objects("items", 3);
            Some(Self {
                id: id?,
                name: name?,
                items: items?,
            })
        }
    }

    #[test]
    fn everything_wrong_is_named_by_its_path() {
        let body = json!({
            "id": 1.5, "name": "", "nmae": "x",
            "items": [{"type": "CHAT"}, {"type": "chat", "x": 1}, 7, ],
        });
        let error = read::<Outer>(&body).expect_err("wrong in many ways");
        let problems: Vec<_> = error
            .details
            .iter()
            .map(|it| (it.field.as_str(), it.message.as_str()))
            .collect();
        assert_eq!(
            problems,
            [
                ("id", "must be an integer from 1 to 9007199254740991"),
                ("name", "must have 1 to 256 characters and no control characters"),
                ("items[1].type", "must be one of CHAT, ARBITRAGE"),
                ("items[1].x", "is not known here"),
                ("items[2]", "must be an object"),
                ("nmae", "is not known here"),
            ]
        );
    }

    #[test]
    fn null_is_as_good_as_absent() {
        let body = json!({"id": 7, "name": null, "items": []});
        let expected = Outer {
            id: BusinessId::new(7).expect("id"),
            name: None,
            items: Vec::new(),
        };
        assert_eq!(read::<Outer>(&body).expect("right"), expected);
        let error = read::<Outer>(&json!({"id": null, "items": []})).expect_err("no id");
        assert_eq!(error.details, [Problem::new("id", "is required")]);
    }

    #[test]
    fn a_flood_of_problems_is_cut() {
        let items = vec![json!({}); 3];
        let mut body = json!({"id": 7, "items": items});
        for number in 0..500 {
            body[format!("x{number}")] = json!(1);
        }
        let error = read::<Outer>(&body).expect_err("wrong");
        assert_eq!(error.details.len(), MAX_PROBLEMS);
    }
}
