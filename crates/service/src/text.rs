//! The transport's texts of times and sizes, for fields that always have a value.

macro_rules! text {
    ($name:ident, $value:ty) => {
        pub(crate) mod $name {
            use serde::{Deserializer, Serializer, de::Error};
            use socketry_transport::units::$name;

            pub(crate) fn serialize<S: Serializer>(
                value: &$value,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                $name::serialize(&Some(*value), serializer)
            }
            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<$value, D::Error> {
                $name::deserialize(deserializer)?.ok_or_else(|| D::Error::custom("no value"))
            }
        }
    };
}

text!(duration, std::time::Duration);
text!(bytes, usize);
