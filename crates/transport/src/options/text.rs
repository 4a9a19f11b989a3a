//! Values of options from their text in a URL.

use super::multicast::MulticastGroup;
use crate::units::UnitError;

pub(super) fn flag(text: &str) -> Result<bool, UnitError> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(UnitError::new(text, "true or false")),
    }
}

/// Whole numbers, each up to the largest of its type.
macro_rules! numbers {
    ($($name:ident: $type:ty, $wanted:literal;)*) => { $(
        pub(super) fn $name(text: &str) -> Result<$type, UnitError> {
            // `parse` would take a '+'.
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            let number = text.parse().ok().filter(|_| digits);
            let wanted = concat!("a whole number from 0 to ", $wanted);
            number.ok_or_else(|| UnitError::new(text, wanted))
        }
    )* };
}

numbers! {
    octet: u8, "255";
    number: u32, "4294967295";
}

#[cfg(target_pointer_width = "64")]
numbers! { count: usize, "18446744073709551615"; }
#[cfg(not(target_pointer_width = "64"))]
numbers! { count: usize, "4294967295"; }

/// A mark is often written in hexadecimal digits, as `ip rule` and `nft` print it.
pub(super) fn mark(text: &str) -> Result<u32, UnitError> {
    let Some(digits) = text.strip_prefix("0x") else {
        return number(text);
    };
    // `from_str_radix` would take a '+'.
    let hexadecimal = digits.bytes().all(|b| b.is_ascii_hexdigit());
    let number = u32::from_str_radix(digits, 16).ok();
    let number = number.filter(|_| hexadecimal);
    number.ok_or_else(|| UnitError::new(text, "a mark; write 5 or 0x5, at most 0xffffffff, say"))
}

pub(super) fn word(text: &str) -> Result<String, UnitError> {
    Ok(text.to_owned())
}

/// A list is written with commas.
pub(super) fn groups(text: &str) -> Result<Vec<MulticastGroup>, UnitError> {
    text.split(',').map(str::parse).collect()
}
