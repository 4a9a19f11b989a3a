//! Files of tokens.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use socketry_transport::ErrorKind;

use super::text::{to_bytes, to_hex};
use super::{Secret, Token, random};
use crate::error::AuthError;

/// The most bytes of a file: room for thousands of tokens.
const MOST: u64 = 1 << 20;

fn wrong(kind: ErrorKind, path: &Path, words: impl Display) -> AuthError {
    AuthError::new(kind, format!("{}: {words}", path.display()))
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> AuthError + '_ {
    move |error| wrong(ErrorKind::from(&error), path, error)
}

/// The text of a file that only its owner may read or change, of at most 1 MiB: of secrets, or of
/// rules.
///
/// # Errors
/// If the file cannot be read, is too long, no text or no file, or if others may read or change it:
/// by its mode, or since it belongs to another user than this process and root. The group of a file
/// may read it if root owns it and this process is another user's.
pub fn private_text(path: impl AsRef<Path>) -> Result<String, AuthError> {
    text(path.as_ref(), Others::Nothing)
}

/// The text of a file that not all users may change, of at most 1 MiB: of options, say. Its group
/// may, which on many systems is its owner's own.
///
/// # Errors
/// If the file cannot be read, is too long, no text or no file, or if others may change it: by its
/// mode, or since it belongs to another user than this process and root.
pub fn unchanged_text(path: impl AsRef<Path>) -> Result<String, AuthError> {
    text(path.as_ref(), Others::Read)
}

/// What others may do with a file: than its owner, or than its owner and its group.
#[derive(Clone, Copy)]
enum Others {
    Nothing,
    Read,
}

impl Others {
    /// The bits that a mode may not have, and the change that takes them away. A file that is not
    /// ours is root's.
    #[cfg(unix)]
    fn forbidden(self, is_ours: bool) -> (u32, &'static str) {
        match (self, is_ours) {
            (Others::Nothing, true) => (0o077, "go="),
            // We can read what root hands out only as a member of its group.
            (Others::Nothing, false) => (0o027, "g-w,o="),
            (Others::Read, _) => (0o002, "o-w"),
        }
    }
}

fn text(path: &Path, others: Others) -> Result<String, AuthError> {
    // To open a pipe that nobody writes would wait for ever.
    if !fs::metadata(path).map_err(io_error(path))?.is_file() {
        return Err(wrong(ErrorKind::InvalidOption, path, "it is no file"));
    }
    let file = File::open(path).map_err(io_error(path))?;
    // What is checked is what is read.
    check(path, &file, others)?;
    let mut text = String::new();
    let read = file.take(MOST + 1).read_to_string(&mut text);
    let read = read.map_err(io_error(path))?;
    match u64::try_from(read).is_ok_and(|read| read > MOST) {
        true => Err(wrong(
            ErrorKind::InvalidOption,
            path,
            "the file is longer than 1 MiB",
        )),
        false => Ok(text),
    }
}

/// All tokens in a file, at least one, each name once.
pub(crate) fn read(path: &Path) -> Result<Vec<Token>, AuthError> {
    let tokens = parse(path, &private_text(path)?)?;
    match tokens.is_empty() {
        true => Err(wrong(ErrorKind::InvalidOption, path, "there is no token")),
        false => Ok(tokens),
    }
}

fn parse(path: &Path, text: &str) -> Result<Vec<Token>, AuthError> {
    let mut tokens: Vec<Token> = Vec::new();
    // Some editors begin a file so.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // A line is never shown: it may be a secret.
        let refused = |words: &dyn Display| {
            let words = format!("line {number}: {words}");
            wrong(ErrorKind::InvalidOption, path, words)
        };
        let token = token(line).map_err(|error| refused(&error))?;
        // Names that differ only in case are the same to a reader, who would take one user for
        // the other.
        let same = |other: &&Token| other.name.eq_ignore_ascii_case(&token.name);
        if let Some(other) = tokens.iter().find(same) {
            let words = match other.name == token.name {
                true => format!("the name '{}' is there twice", token.name),
                false => format!("'{}' and '{}' differ only in case", other.name, token.name),
            };
            return Err(refused(&words));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

fn token(line: &str) -> Result<Token, AuthError> {
    let refused = |words| AuthError::new(ErrorKind::InvalidOption, words);
    let (name, secret) = line
        .split_once('=')
        .ok_or_else(|| refused("a line is NAME = SECRET"))?;
    let (name, secret) = (name.trim_end(), secret.trim_start());
    if !super::is_name(name) {
        // A secret in the place of a name is not to be shown.
        let words = "the name is not 1 to 64 letters, digits and . _ - @, or is 'anonymous'";
        return Err(refused(words));
    }
    let bytes =
        to_bytes(secret).ok_or_else(|| refused("the secret is neither hexadecimal nor base64"))?;
    Token::new(name, Secret::new(bytes)?)
}

/// An error if others than this user and root may do more with the file.
#[cfg(unix)]
fn check(path: &Path, file: &File, others: Others) -> Result<(), AuthError> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let found = file.metadata().map_err(io_error(path))?;
    if !found.is_file() {
        return Err(wrong(ErrorKind::InvalidOption, path, "it is no file"));
    }
    let (owner, effective) = (found.uid(), rustix::process::geteuid().as_raw());
    // Where all can write, another user may have put a file of its own in its place.
    if owner != 0 && owner != effective {
        let words = format!("it belongs to another user (uid {owner})");
        return Err(wrong(ErrorKind::Denied, path, words).hint("chown it, or make a copy"));
    }
    let (forbidden, change) = others.forbidden(owner == effective);
    if found.permissions().mode() & forbidden == 0 {
        return Ok(());
    }
    let words = match others {
        Others::Nothing => "others may read or change it",
        Others::Read => "others may change it",
    };
    let error = wrong(ErrorKind::Denied, path, words);
    Err(error.hint(format!("chmod {change} {}", path.display())))
}

#[cfg(not(unix))]
fn check(_path: &Path, _file: &File, _others: Others) -> Result<(), AuthError> {
    Ok(())
}

/// All tokens in a file. One is made there, of that name, if there is no file; `true` says so.
pub(crate) fn keep(path: &Path, name: &str) -> Result<(Vec<Token>, bool), AuthError> {
    let made = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path, name)?,
        _ => false,
    };
    Ok((read(path)?, made))
}

/// Makes a file with one token. `false` if another process was faster.
fn make(path: &Path, name: &str) -> Result<bool, AuthError> {
    let token = Token::made(name)?;
    let line = format!("{} = {}\n", token.name, to_hex(token.secret.bytes()));
    if let Some(directory) = path.parent().filter(|parent| *parent != Path::new("")) {
        make_directory(directory).map_err(io_error(directory))?;
    }
    place(path, &line).map_err(io_error(path))
}

/// Writes a file that only its owner may read beside its place, and then puts it there whole.
fn place(to: &Path, text: &str) -> io::Result<bool> {
    let number = random::<8>().map_err(io::Error::other)?;
    let mut beside = to.as_os_str().to_owned();
    beside.push(format!(".{}.new", to_hex(&number)));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    // Two that start at once have one token: the first that puts it there wins.
    let placed = written.and_then(|()| match fs::hard_link(&beside, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    });
    let _ = fs::remove_file(&beside);
    placed
}

fn make_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_group_reads_the_files_of_root_alone() {
        for (is_ours, mode, is_fine) in [
            (true, 0o600, true),
            (true, 0o640, false),
            (false, 0o400, true),
            (false, 0o640, true),
            (false, 0o660, false),
            (false, 0o644, false),
        ] {
            let (forbidden, _) = Others::Nothing.forbidden(is_ours);
            assert_eq!(mode & forbidden == 0, is_fine, "{mode:o}");
        }
    }
}
