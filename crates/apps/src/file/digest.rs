//! Digests: those that a peer claims, and those that were computed.

use std::fmt::Write;

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{AppError, Shown};

/// Digests in hexadecimal, as headers have them. Unknown algorithms are ignored.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Digests {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) blake3: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
}

impl Digests {
    pub(super) fn blake3(hex: impl Into<String>) -> Self {
        Digests {
            blake3: Some(hex.into()),
            ..Digests::default()
        }
    }

    /// An error unless `found` has every digest that is claimed here.
    pub(super) fn check(&self, found: &Digests) -> Result<(), AppError> {
        differ("blake3", self.blake3.as_ref(), found.blake3.as_ref())?;
        differ("md5", self.md5.as_ref(), found.md5.as_ref())?;
        differ("sha256", self.sha256.as_ref(), found.sha256.as_ref())
    }
}

fn differ(name: &str, claimed: Option<&String>, found: Option<&String>) -> Result<(), AppError> {
    match (claimed, found) {
        (None, _) => Ok(()),
        (Some(claimed), Some(found)) if claimed.eq_ignore_ascii_case(found) => Ok(()),
        (Some(claimed), found) => Err(AppError::failed(format_args!(
            "the {name} of what arrived is {}, and {:.80} was claimed",
            found.map_or("not known", |found| found),
            Shown(claimed).to_string()
        ))),
    }
}

/// Computes BLAKE3 always, and the other digests on demand.
pub(super) struct Hasher {
    blake3: blake3::Hasher,
    md5: Option<Md5>,
    sha256: Option<Sha256>,
}

impl Hasher {
    /// A hasher for all digests in `claimed`.
    pub(super) fn for_claim(claimed: &Digests) -> Self {
        Hasher {
            blake3: blake3::Hasher::new(),
            md5: claimed.md5.as_ref().map(|_| Md5::new()),
            sha256: claimed.sha256.as_ref().map(|_| Sha256::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.blake3.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
    }

    pub(super) fn blake3(&self) -> blake3::Hash {
        self.blake3.finalize()
    }

    /// How many bytes were hashed.
    pub(super) fn len(&self) -> u64 {
        self.blake3.count()
    }

    pub(super) fn digests(&self) -> Digests {
        let md5 = self.md5.clone();
        let sha256 = self.sha256.clone();
        Digests {
            blake3: Some(self.blake3.finalize().to_hex().to_string()),
            md5: md5.map(|md5| hex(&md5.finalize())),
            sha256: sha256.map(|sha256| hex(&sha256.finalize())),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claimed_digest_is_checked() {
        let claimed = Digests {
            blake3: None,
            md5: Some("900150983CD24FB0D6963F7D28E17F72".into()),
            sha256: Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into()),
        };
        let found = |text: &str| {
            let mut hasher = Hasher::for_claim(&claimed);
            hasher.update(text.as_bytes());
            hasher.digests()
        };
        claimed.check(&found("abc")).unwrap();
        let error = claimed.check(&found("abd")).unwrap_err().to_string();
        assert!(error.contains("md5"), "{error}");
    }
}
