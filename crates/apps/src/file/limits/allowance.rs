//! What one arriving file may take.

use super::{Limits, Space};
use crate::AppError;
use crate::file::quota::Counted;

/// The limits that bind one file, as its bytes arrive. The default is none.
#[derive(Default)]
pub(in crate::file) struct Allowance {
    limits: Limits,
    space: Option<Space>,
    counted: Option<Counted>,
    len: u64,
}

impl Allowance {
    pub(in crate::file) fn new(
        limits: Limits,
        space: Option<Space>,
        counted: Option<Counted>,
    ) -> Self {
        Allowance {
            limits,
            space,
            counted,
            len: 0,
        }
    }

    /// `len` more bytes.
    ///
    /// # Errors
    /// If they have no room.
    pub(in crate::file) async fn add(&mut self, len: usize) -> Result<(), AppError> {
        self.len = self.len.saturating_add(len as u64);
        self.limits.has_room(self.len)?;
        if let Some(counted) = &mut self.counted {
            counted.add(len)?;
        }
        match &mut self.space {
            Some(space) => space.add(len as u64).await,
            None => Ok(()),
        }
    }

    /// The file is stored, and so counts for its client.
    pub(in crate::file) fn keep(self) {
        if let Some(counted) = self.counted {
            counted.keep();
        }
    }
}
