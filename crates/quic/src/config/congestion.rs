//! How the rate of a sender follows the network.

use std::str::FromStr;
use std::sync::Arc;

use quinn::TransportConfig;
use quinn::congestion::{BbrConfig, CubicConfig, NewRenoConfig};

/// How much this end sends at a time. In a URL: `congestion=`, with the names that Linux has for
/// the same of TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Congestion {
    /// A loss is taken for a full network, and halves the rate (RFC 9438). The default.
    #[default]
    Cubic,
    /// The same, growing more slowly afterwards (RFC 9002, section 7).
    Reno,
    /// The rate follows the bandwidth that was measured, and not the losses. It is many times as
    /// fast where packets are lost at random. The library below calls its own experimental, and it
    /// takes more than its share of a full network.
    Bbr,
}

impl Congestion {
    pub(super) fn configure(self, config: &mut TransportConfig) {
        match self {
            Congestion::Cubic => {
                config.congestion_controller_factory(Arc::new(CubicConfig::default()))
            }
            Congestion::Reno => {
                config.congestion_controller_factory(Arc::new(NewRenoConfig::default()))
            }
            Congestion::Bbr => config.congestion_controller_factory(Arc::new(BbrConfig::default())),
        };
    }
}

impl FromStr for Congestion {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "cubic" => Ok(Congestion::Cubic),
            "reno" => Ok(Congestion::Reno),
            "bbr" => Ok(Congestion::Bbr),
            other => {
                let other = other.escape_debug();
                Err(format!("'{other}' is not cubic, reno or bbr"))
            }
        }
    }
}
