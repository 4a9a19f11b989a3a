//! Specifications in data.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::CodecSpec;

/// [`CodecSpec`] as a table.
#[derive(Serialize, Deserialize)]
#[serde(remote = "CodecSpec", deny_unknown_fields)]
struct Table {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_frame: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_discard: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_depth: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_last: Option<bool>,
}

impl Serialize for CodecSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.limits().next() {
            None => self.name.serialize(serializer),
            Some(_) => Table::serialize(self, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for CodecSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Spec)
    }
}

struct Spec;

impl<'de> Visitor<'de> for Spec {
    type Value = CodecSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a codec, or a table with one")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CodecSpec, E> {
        Ok(CodecSpec::new(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CodecSpec, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(map))
    }
}
