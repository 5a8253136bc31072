//! Parts of a file, written as files of their own.

use std::path::Path;

use stele_durable as durable;
use stele_explain::Failure;
use stele_publish::error::FileError;

/// Writes parts into a folder, each under its name. Nothing is overwritten.
pub(crate) fn write<'a>(
    parts: impl IntoIterator<Item = (String, &'a [u8])>,
    folder: &Path,
) -> Result<Vec<String>, Failure> {
    durable::create_dir_all(folder)?;
    let mut written = Vec::new();
    for (name, bytes) in parts {
        let path = folder.join(name);
        if path.exists() {
            let hint = "choose an empty folder";
            return Err(FileError::Exists { path: path.display().to_string(), hint }.into());
        }
        durable::create_file(&path, bytes, 0o644)?;
        written.push(path.display().to_string());
    }
    Ok(written)
}
