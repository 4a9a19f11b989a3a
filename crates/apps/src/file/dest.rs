//! Where a download is stored: under its name only when it is whole.

use std::fs::File;
use std::path::Path;

use super::root::{Attributes, Root, Temporary};
use crate::AppError;

/// A temporary file beside `dest`, to be called so.
pub(super) async fn create(dest: &Path) -> Result<(Temporary, File), AppError> {
    let name = dest.file_name().and_then(|name| name.to_str());
    let Some(name) = name.map(str::to_owned) else {
        return Err(AppError::failed(format_args!(
            "no file can be stored as {}",
            dest.display()
        )));
    };
    let parent = match dest.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => ".".into(),
    };
    let root = Root::open(&parent)
        .map_err(|error| AppError::failed(format_args!("{}: {error}", parent.display())))?;
    root.run(move |root| root.create(&name)).await
}

/// Gives a download its name.
pub(super) async fn keep(
    temporary: Temporary,
    file: File,
    with: Attributes,
) -> Result<(), AppError> {
    let root = temporary.root().clone();
    root.run(move |_| temporary.keep(&file, with)).await
}
