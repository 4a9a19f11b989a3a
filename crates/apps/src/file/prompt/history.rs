//! The lines that were typed, in a file of the user.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::common::state_directory;

/// How many lines are kept.
pub(super) const MOST: usize = 1000;
/// The largest file that is read, in bytes. A larger one begins anew.
const LARGEST: u64 = 1 << 20;

/// The file, where it can be kept.
pub(super) struct History {
    file: Option<File>,
    lines: Vec<String>,
}

impl History {
    /// Without a file.
    pub(super) fn none() -> Self {
        History {
            file: None,
            lines: Vec::new(),
        }
    }

    /// `browse_history` in the state directory. Without such a directory nothing is kept.
    pub(super) fn open() -> Self {
        let Some(dir) = state_directory() else {
            return History::none();
        };
        History::at(&dir.join("browse_history")).unwrap_or_else(|error| {
            tracing::info!("what is typed is not kept: {error}");
            History::none()
        })
    }

    fn at(path: &Path) -> io::Result<Self> {
        if let Some(dir) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let is_large = fs::metadata(path).is_ok_and(|found| found.len() > LARGEST);
        let lines = if is_large { Vec::new() } else { read(path) };
        if is_large || lines.len() > MOST {
            let last = lines.len().saturating_sub(MOST);
            rewrite(path, lines.get(last..).unwrap_or_default())?;
        }
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).mode(0o600).open(path)?;
        // An earlier one may have had other rights.
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        Ok(History {
            file: Some(file),
            lines,
        })
    }

    /// The lines of earlier times, the oldest first.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        let skipped = self.lines.len().saturating_sub(MOST);
        self.lines[skipped..].iter().map(String::as_str)
    }

    /// Keeps a line. It is appended in one write, since another prompt may do the same.
    pub(super) fn add(&mut self, line: &str) {
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(format!("{line}\n").as_bytes())
        {
            tracing::info!("what is typed is not kept: {error}");
            self.file = None;
        }
    }
}

fn read(path: &Path) -> Vec<String> {
    let is_file = fs::metadata(path).is_ok_and(|found| found.is_file());
    let text = is_file.then(|| fs::read(path).ok()).flatten();
    let text = text.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().map(str::to_owned).collect()
}

/// Replaces the file by one with these lines.
fn rewrite(path: &Path, lines: &[String]) -> io::Result<()> {
    let new: PathBuf = path.with_extension("new");
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&new)?;
    let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
    file.write_all(text.as_bytes())?;
    fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_for_their_user_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state/socketry/browse_history");
        let mut history = History::at(&path).unwrap();
        history.add("ls");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let mut history = History::at(&path).unwrap();
        history.add("get 'a b'");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        let history = History::at(&path).unwrap();
        assert_eq!(history.lines().collect::<Vec<_>>(), ["ls", "get 'a b'"]);
    }

    #[test]
    fn the_last_lines_stay() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("browse_history");
        let mut history = History::at(&path).unwrap();
        for line in 0..MOST + 5 {
            history.add(&line.to_string());
        }
        let history = History::at(&path).unwrap();
        assert_eq!(
            (history.lines().next(), history.lines().count()),
            (Some("5"), MOST)
        );
        assert_eq!(read(&path).len(), MOST);
        fs::write(&path, vec![b'\n'; 2 << 20]).unwrap();
        let mut history = History::at(&path).unwrap();
        assert_eq!(history.lines().count(), 0);
        history.add("ls");
        assert_eq!(fs::read_to_string(&path).unwrap(), "ls\n");
    }
}
