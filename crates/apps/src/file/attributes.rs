//! The attributes of a file: its time, its mode, its owner.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::SystemTime;

use cap_std::fs::MetadataExt as _;

/// The bits of a mode that are transferred. The bits that change the user a program runs as never
/// are.
pub(super) const RIGHTS: u32 = 0o777;
/// The mode of a new file without an announced one, before the umask: all may read and write it.
pub(super) const ORDINARY: u32 = 0o666;
/// The umask if the kernel does not tell it: the owner alone has rights.
const CAUTIOUS: u32 = 0o077;

/// The attributes that the other side announced.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attributes {
    pub(super) mtime: Option<SystemTime>,
    pub(super) mode: Option<u32>,
    /// Whether the mode is given exactly, whatever the umask and a replaced file say.
    pub(super) exact: bool,
}

impl Attributes {
    /// Applies them to `file`, which is going to replace `existing`.
    pub(super) fn give(
        self,
        file: &File,
        existing: Option<&cap_std::fs::Metadata>,
    ) -> io::Result<()> {
        let existing = existing.filter(|existing| existing.is_file());
        let mut mode = rights(
            self.mode,
            existing.map(cap_std::fs::MetadataExt::mode),
            umask,
        );
        if existing.is_some_and(|existing| !same_group(file, existing)) {
            mode = without_group(mode);
        }
        if let (true, Some(announced)) = (self.exact, self.mode) {
            mode = announced & RIGHTS;
        }
        file.set_permissions(Permissions::from_mode(mode))?;
        match self.mtime {
            Some(mtime) => file.set_modified(mtime),
            None => Ok(()),
        }
    }
}

/// The rights of a stored file. They are never more than those of the file that it replaces. If it
/// replaces none, the umask limits them.
fn rights(announced: Option<u32>, existing: Option<u32>, umask: impl Fn() -> u32) -> u32 {
    let rights = match (announced, existing) {
        (Some(announced), Some(existing)) => announced & existing,
        (None, Some(existing)) => existing,
        (announced, None) => announced.unwrap_or(ORDINARY) & !umask(),
    };
    rights & RIGHTS
}

/// Tries to give `file` the owner and group of the file that it replaces. Returns whether it has
/// the same group now.
fn same_group(file: &File, existing: &cap_std::fs::Metadata) -> bool {
    let Ok(found) = file.metadata() else {
        return false;
    };
    let group = rustix::fs::Gid::from_raw(existing.gid());
    let owner = rustix::fs::Uid::from_raw(existing.uid());
    if (found.uid(), found.gid()) == (existing.uid(), existing.gid()) {
        return true;
    }
    // Only root may change the owner, but a user may choose among its own groups.
    rustix::fs::fchown(file, Some(owner), Some(group)).is_ok()
        || found.gid() == existing.gid()
        || rustix::fs::fchown(file, None, Some(group)).is_ok()
}

/// The mode for a file in another group: the group gets the rights of others.
fn without_group(mode: u32) -> u32 {
    let others = mode & 0o007;
    mode & (0o707 | others << 3)
}

/// The process's umask, read from the kernel's text. `umask(2)` would change it for all threads.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    let umask = umask.and_then(|umask| u32::from_str_radix(umask.trim(), 8).ok());
    umask.unwrap_or(CAUTIOUS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_never_wider_than_before() {
        for (announced, existing, given) in [
            (Some(0o600), None, 0o600),
            (Some(0o755), None, 0o755),
            (Some(0o666), None, 0o644),
            (Some(0o6777), None, 0o755),
            (None, None, 0o644),
            (Some(0o755), Some(0o600), 0o600),
            (Some(0o400), Some(0o600), 0o400),
            (Some(0o777), Some(0o100_664), 0o664),
            (None, Some(0o100_600), 0o600),
            (None, Some(0o104_755), 0o755),
        ] {
            assert_eq!(
                rights(announced, existing, || 0o022),
                given,
                "{announced:?}"
            );
        }
    }

    #[test]
    fn another_group_gets_the_rights_of_others() {
        for (mode, given) in [
            (0o660, 0o600),
            (0o664, 0o644),
            (0o755, 0o755),
            (0o750, 0o700),
        ] {
            assert_eq!(without_group(mode), given, "{mode:o}");
        }
    }

    #[test]
    fn the_umask_is_read() {
        assert!(umask() <= RIGHTS);
    }
}
