//! The settings of a serial line, and their text in a URL.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::transport::keys::Keys;
use crate::options::SocketOptions;
use crate::units::UnitError;

pub(super) const KEYS: Keys = Keys::new(&[
    "baud",
    "data_bits",
    "parity",
    "stop_bits",
    "flow",
    "dtr",
    "rts",
    "exclusive",
    "accept",
]);

/// An enum whose values are words of a URL.
macro_rules! words {
    (
        $(#[$meta:meta])* $name:ident, $wanted:literal:
        $($(#[$of:meta])* $value:ident = $word:literal,)*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[cfg_attr(
            feature = "serde",
            derive(Serialize, Deserialize),
            serde(rename_all = "lowercase")
        )]
        pub enum $name {
            $($(#[$of])* $value,)*
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $($name::$value => $word,)*
                })
            }
        }

        impl FromStr for $name {
            type Err = UnitError;

            fn from_str(text: &str) -> std::result::Result<Self, UnitError> {
                match text {
                    $($word => Ok($name::$value),)*
                    _ => Err(UnitError::new(text, $wanted)),
                }
            }
        }
    };
}

words! {
    /// The bit behind the data bits, by which a device notices some damage. Nothing tells the
    /// program of it: a byte with a wrong bit arrives as it came. A checksum finds more.
    SerialParity, "none, odd, even, mark or space":
    /// No such bit.
    #[default]
    None = "none",
    /// It makes the number of ones odd.
    Odd = "odd",
    /// It makes the number of ones even.
    Even = "even",
    /// It is always one.
    Mark = "mark",
    /// It is always zero.
    Space = "space",
}

words! {
    /// How a device that has no room stops its peer.
    SerialFlow, "none, hardware or software":
    /// It does not: bytes without room are lost.
    #[default]
    None = "none",
    /// By wires of their own, RTS and CTS.
    Hardware = "hardware",
    /// By two bytes, 11 and 13 hex (XON and XOFF), which the data then cannot have. So it is for
    /// text, and for no codec of binary frames.
    Software = "software",
}

words! {
    /// When a listener gives a socket. A line does not tell whether there is a peer.
    SerialAccept, "open or data":
    /// As soon as the line is open. So this end can speak first.
    #[default]
    Open = "open",
    /// As soon as a byte has arrived, which stays there to be received.
    Data = "data",
}

/// The settings of a serial line. Both ends have to have the same `baud`, `data_bits`, `parity` and
/// `stop_bits`: a line does not tell them.
///
/// The names of the fields are the keys in TOML, in JSON and in the query of an [`Endpoint`], and
/// the query wins over the rest.
///
/// ```
/// use socketry_transport::{Endpoint, SerialParity, SerialSettings};
///
/// let at: Endpoint = "serial:///dev/ttyUSB0?baud=9600&parity=even".parse()?;
/// let settings = SerialSettings::default().resolve(&at)?;
/// assert_eq!((settings.baud, settings.parity), (9600, SerialParity::Even));
/// assert_eq!(settings.added_to(at.clone().without_query()), at);
/// # Ok::<(), socketry_transport::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct SerialSettings {
    /// Bits a second, from 1: any whole number that the device takes. Default:
    /// [`DEFAULT_BAUD`](Self::DEFAULT_BAUD).
    pub baud: u32,
    /// Data bits of each byte, from 5 to 8. Default: 8.
    pub data_bits: u8,
    /// Default: none.
    pub parity: SerialParity,
    /// Stop bits of each byte, 1 or 2. Default: 1.
    pub stop_bits: u8,
    /// Default: none.
    pub flow: SerialFlow,
    /// The line DTR once the device is open. The kernel raises it when it opens a device, which
    /// resets many boards, and drops it when the last program has closed it. Default: as the kernel
    /// leaves it.
    pub dtr: Option<bool>,
    /// The line RTS once the device is open, as `dtr`. It cannot be set where `flow` is `hardware`.
    pub rts: Option<bool>,
    /// Whether to lock the device, and to refuse one that another program has locked. Default: yes.
    pub exclusive: bool,
    /// When a listener gives a socket. Default: as soon as the line is open.
    pub accept: SerialAccept,
}

impl Default for SerialSettings {
    fn default() -> Self {
        SerialSettings {
            baud: Self::DEFAULT_BAUD,
            data_bits: 8,
            parity: SerialParity::default(),
            stop_bits: 1,
            flow: SerialFlow::default(),
            dtr: None,
            rts: None,
            exclusive: true,
            accept: SerialAccept::default(),
        }
    }
}

fn number<T: FromStr>(text: &str, wanted: &'static str) -> std::result::Result<T, UnitError> {
    // `parse` would take a '+'.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| UnitError::new(text, wanted))
}

fn flag(text: &str) -> std::result::Result<bool, UnitError> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(UnitError::new(text, "true or false")),
    }
}

const BAUD: &str = "a whole number from 1 to 4294967295";
const DATA_BITS: &str = "5, 6, 7 or 8";
const STOP_BITS: &str = "1 or 2";

fn invalid(at: &Endpoint, reason: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidOption, "use", at).because(reason)
}

impl SerialSettings {
    /// The default of `baud`: 115,200.
    pub const DEFAULT_BAUD: u32 = 115_200;

    /// The settings in the query of `endpoint`, and for all others these.
    ///
    /// # Errors
    /// [`InvalidOption`](ErrorKind::InvalidOption) for a key that is unknown or given twice, for a
    /// value that does not fit, and for two that do not fit together.
    pub fn resolve(&self, endpoint: &Endpoint) -> Result<Self> {
        SocketOptions::from_query(endpoint, KEYS)?;
        let mut settings = self.clone();
        for (key, value) in endpoint.query() {
            let set = settings.set(key, value);
            set.map_err(|error| invalid(endpoint, format_args!("option '{key}': {error}")))?;
        }
        settings.check(endpoint)?;
        Ok(settings)
    }

    fn set(&mut self, key: &str, text: &str) -> std::result::Result<(), UnitError> {
        match key {
            "baud" => self.baud = number(text, BAUD)?,
            "data_bits" => self.data_bits = number(text, DATA_BITS)?,
            "parity" => self.parity = text.parse()?,
            "stop_bits" => self.stop_bits = number(text, STOP_BITS)?,
            "flow" => self.flow = text.parse()?,
            "dtr" => self.dtr = Some(flag(text)?),
            "rts" => self.rts = Some(flag(text)?),
            "exclusive" => self.exclusive = flag(text)?,
            "accept" => self.accept = text.parse()?,
            _ => {}
        }
        Ok(())
    }

    /// Checks what the types leave open.
    fn check(&self, at: &Endpoint) -> Result<()> {
        let fits = |key, is: &dyn fmt::Display, wanted, fits: bool| match fits {
            true => Ok(()),
            false => {
                let error = UnitError::new(is, wanted);
                Err(invalid(at, format_args!("option '{key}': {error}")))
            }
        };
        fits("baud", &self.baud, BAUD, self.baud > 0)?;
        let data_bits = (5..=8).contains(&self.data_bits);
        fits("data_bits", &self.data_bits, DATA_BITS, data_bits)?;
        let stop_bits = (1..=2).contains(&self.stop_bits);
        fits("stop_bits", &self.stop_bits, STOP_BITS, stop_bits)?;
        match (self.flow, self.rts) {
            (SerialFlow::Hardware, Some(_)) => {
                let reason = "the device itself sets rts where flow=hardware";
                Err(invalid(at, reason).hint("leave one of the two out"))
            }
            _ => Ok(()),
        }
    }

    /// The endpoint with these settings in its query, but for those that are the default.
    pub fn added_to(&self, mut at: Endpoint) -> Endpoint {
        let usual = SerialSettings::default().pairs();
        for (key, value) in self.pairs() {
            if !usual.contains(&(key, value.clone())) {
                at = at.with(key, value);
            }
        }
        at
    }

    /// All that are set, as a query has them.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let line = |key, set: Option<bool>| set.map(|set| (key, set.to_string()));
        let mut pairs = vec![
            ("baud", self.baud.to_string()),
            ("data_bits", self.data_bits.to_string()),
            ("parity", self.parity.to_string()),
            ("stop_bits", self.stop_bits.to_string()),
            ("flow", self.flow.to_string()),
            ("exclusive", self.exclusive.to_string()),
            ("accept", self.accept.to_string()),
        ];
        pairs.extend(line("dtr", self.dtr));
        pairs.extend(line("rts", self.rts));
        pairs
    }

    /// The bits on the line for each byte, the start bit among them.
    pub(super) fn bits_a_byte(&self) -> u32 {
        let parity = u32::from(self.parity != SerialParity::None);
        1 + u32::from(self.data_bits) + parity + u32::from(self.stop_bits)
    }
}
