//! Names and specs in data.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{CodecName, CodecSpec};

impl Serialize for CodecName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CodecName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Name)
    }
}

struct Name;

impl Visitor<'_> for Name {
    type Value = CodecName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a codec")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CodecName, E> {
        text.parse().map_err(E::custom)
    }
}

/// [`CodecSpec`] as a table.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: CodecName,
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
        let CodecSpec {
            name,
            max_frame,
            max_discard,
            max_depth,
            keep_last,
        } = *self;
        if *self == CodecSpec::new(name) {
            return name.serialize(serializer);
        }
        let table = Table {
            name,
            max_frame,
            max_discard,
            max_depth,
            keep_last,
        };
        table.serialize(serializer)
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
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CodecSpec, A::Error> {
        let table = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(CodecSpec {
            name: table.name,
            max_frame: table.max_frame,
            max_discard: table.max_discard,
            max_depth: table.max_depth,
            keep_last: table.keep_last,
        })
    }
}
