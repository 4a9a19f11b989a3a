//! What a file has besides its bytes: its time, its mode, its owner.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::SystemTime;

use cap_std::fs::MetadataExt as _;

/// The bits of a mode that travel. Those that change who a program runs as never do.
pub(super) const RIGHTS: u32 = 0o777;
/// What a new file may be by itself: anybody's to read and write, as far as the umask lets them.
const ORDINARY: u32 = 0o666;
/// The umask where the kernel does not tell: nobody but the owner.
const CAUTIOUS: u32 = 0o077;

/// What the other side says of a file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attributes {
    pub(super) mtime: Option<SystemTime>,
    pub(super) mode: Option<u32>,
}

impl Attributes {
    /// Gives them to `file`, which is going to take the place of `existing`.
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
        file.set_permissions(Permissions::from_mode(mode))?;
        match self.mtime {
            Some(mtime) => file.set_modified(mtime),
            None => Ok(()),
        }
    }
}

/// The rights of a file that is stored: never more than what it replaces has, nor, where it
/// replaces nothing, than the umask lets this process give.
fn rights(announced: Option<u32>, existing: Option<u32>, umask: impl Fn() -> u32) -> u32 {
    let rights = match (announced, existing) {
        (Some(announced), Some(existing)) => announced & existing,
        (None, Some(existing)) => existing,
        (announced, None) => announced.unwrap_or(ORDINARY) & !umask(),
    };
    rights & RIGHTS
}

/// Whether `file` belongs to the group of what it replaces, after an attempt to give it the same
/// owner and group.
fn same_group(file: &File, existing: &cap_std::fs::Metadata) -> bool {
    let Ok(found) = file.metadata() else {
        return false;
    };
    let group = rustix::fs::Gid::from_raw(existing.gid());
    let owner = rustix::fs::Uid::from_raw(existing.uid());
    if (found.uid(), found.gid()) == (existing.uid(), existing.gid()) {
        return true;
    }
    // Only root may give files away, but many may choose among their groups.
    rustix::fs::fchown(file, Some(owner), Some(group)).is_ok()
        || found.gid() == existing.gid()
        || rustix::fs::fchown(file, None, Some(group)).is_ok()
}

/// The group's rights were another group's: this one gets what everybody gets.
fn without_group(mode: u32) -> u32 {
    let others = mode & 0o007;
    mode & (0o707 | others << 3)
}

/// The process's umask, read without changing it: that would change it for all threads.
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
    fn another_group_gets_what_everybody_gets() {
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
