//! An id that is a field of a JSON object.

use std::fmt;

use bytes::BytesMut;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use socketry_codec::Cause;

use super::Correlate;

/// Ids that are a field of each frame, which is a JSON object.
///
/// ```
/// use bytes::BytesMut;
/// use socketry_service::{Correlate, JsonField};
///
/// let field = JsonField::rpc(); // "id", as JSON-RPC has it
/// let mut request = BytesMut::from(r#"{"method":"add","params":[1,2]}"#);
/// field.stamp(&mut request, 7)?;
/// assert_eq!(&request[..], br#"{"id":7,"method":"add","params":[1,2]}"#);
/// assert_eq!(field.id_of(br#"{"result":3,"id":7}"#), Some(7));
/// assert_eq!(field.id_of(br#"{"method":"a request of the server","id":7}"#), None);
/// # Ok::<(), socketry_codec::Cause>(())
/// ```
///
/// A request must not have the field already. A frame that does not have it, or not as a whole
/// number, or is no object, is a push. The ids stay below 2⁵³, which is as far as whole numbers go
/// in JavaScript.
#[derive(Clone, Debug)]
pub struct JsonField {
    name: String,
    unless: Option<String>,
}

impl JsonField {
    /// The field with this name.
    pub fn new(name: impl Into<String>) -> Self {
        JsonField {
            name: name.into(),
            unless: None,
        }
    }

    /// The field `id`, as JSON-RPC 2.0 has it. A frame with a `method` is a push: the server's own
    /// requests have ids, too.
    pub fn rpc() -> Self {
        JsonField::new("id").unless("method")
    }

    /// The same, but a frame that has the field `name` is a push, whatever its id is.
    #[must_use]
    pub fn unless(mut self, name: impl Into<String>) -> Self {
        self.unless = Some(name.into());
        self
    }

    fn look(&self, frame: &[u8]) -> serde_json::Result<Seen> {
        let mut json = serde_json::Deserializer::from_slice(frame);
        let seen = json.deserialize_map(Look(self))?;
        json.end()?;
        Ok(seen)
    }
}

impl Correlate for JsonField {
    fn last_id(&self) -> u64 {
        (1 << 53) - 1
    }

    fn stamp(&self, request: &mut BytesMut, id: u64) -> Result<(), Cause> {
        let seen = self.look(request).map_err(Cause::new)?;
        if seen.field {
            let name = &self.name;
            return Err(format!("it has a field {name:?} already, where its id belongs").into());
        }
        let brace = request.iter().position(|byte| *byte == b'{');
        let (before, rest) = request.split_at(brace.map_or(0, |at| at + 1));
        let name = serde_json::to_string(&self.name).map_err(Cause::new)?;
        let comma = if seen.any { "," } else { "" };
        let field = format!("{name}:{id}{comma}");
        let stamped = [before, field.as_bytes(), rest].concat();
        request.clear();
        request.extend_from_slice(&stamped);
        Ok(())
    }

    fn id_of(&self, frame: &[u8]) -> Option<u64> {
        let seen = self.look(frame).ok()?;
        seen.id.filter(|_| !seen.unless)
    }
}

/// What an object has.
#[derive(Default)]
struct Seen {
    /// Any field.
    any: bool,
    /// The field of the id, with any value.
    field: bool,
    id: Option<u64>,
    unless: bool,
}

/// Finds the fields of interest, and keeps nothing of the others.
struct Look<'a>(&'a JsonField);

impl<'de> Visitor<'de> for Look<'_> {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Seen, A::Error> {
        let mut seen = Seen::default();
        while let Some(key) = map.next_key_seed(Name(self.0))? {
            seen.any = true;
            seen.unless |= key == Key::Unless;
            if key == Key::Id {
                if seen.field {
                    return Err(A::Error::custom("it has two ids"));
                }
                seen.field = true;
                seen.id = map.next_value::<Whole>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(seen)
    }
}

#[derive(PartialEq, Eq)]
enum Key {
    Id,
    Unless,
    Other,
}

/// Compares a field's name, without a copy of it.
struct Name<'a>(&'a JsonField);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        Ok(match name {
            _ if name == self.0.name => Key::Id,
            _ if Some(name) == self.0.unless.as_deref() => Key::Unless,
            _ => Key::Other,
        })
    }
}

/// A whole number from 0 up, or anything else.
struct Whole(Option<u64>);

impl<'de> serde::Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = <&serde_json::value::RawValue>::deserialize(deserializer)?;
        Ok(Whole(value.get().parse().ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamped(request: &str) -> Result<String, Cause> {
        let mut request = BytesMut::from(request);
        JsonField::new("id").stamp(&mut request, 5)?;
        Ok(String::from_utf8(request.to_vec()).expect("text"))
    }

    #[test]
    fn an_id_is_put_in_front_of_the_other_fields() {
        assert_eq!(stamped("{}").expect("an object"), r#"{"id":5}"#);
        assert_eq!(
            stamped(" {\n \"a\": {\"id\": 1}}").expect("an object"),
            " {\"id\":5,\n \"a\": {\"id\": 1}}"
        );
    }

    #[test]
    fn a_request_that_is_no_object_or_has_an_id_is_refused() {
        for request in [
            "",
            "[1]",
            "{",
            "{} {}",
            r#"{"id":null}"#,
            r#"{"\u0069d":1}"#,
        ] {
            assert!(stamped(request).is_err(), "{request}");
        }
        let error = stamped(r#"{"id":3}"#).expect_err("it has one");
        assert!(error.to_string().contains("\"id\""), "{error}");
    }

    #[test]
    fn only_a_whole_number_is_an_id() {
        let id = |frame: &str| JsonField::rpc().id_of(frame.as_bytes());
        assert_eq!(id(r#"{"\u0069d": 9, "result": {"id": 4}}"#), Some(9));
        for frame in [
            r#"{"id":"9"}"#,
            r#"{"id":null}"#,
            r#"{"id":-1}"#,
            r#"{"id":1.5}"#,
            r#"{"id":1,"id":2}"#,
            r#"{"id":1,"method":"x"}"#,
            r#"{"result":{"id":1}}"#,
            "[1]",
            "x",
        ] {
            assert_eq!(id(frame), None, "{frame}");
        }
    }
}
