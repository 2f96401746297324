//! Why files cannot be stored or read, and which of it may pass.

use std::path::PathBuf;

/// Why a file cannot be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no such object.
    #[error("it is not in the file store")]
    NotFound,
    /// The disk is full or may not be written, or a store elsewhere does not do what it is asked: asking again later
    /// may help.
    #[error("the file store is unavailable: {0}")]
    Unavailable(object_store::Error),
    /// The file store does not work.
    #[error("the file store failed: {0}")]
    Failed(object_store::Error),
}

impl From<object_store::Error> for FileError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            other if may_pass(&other) => Self::Unavailable(other),
            other => Self::Failed(other),
        }
    }
}

/// Whether the system refused something that it may do later.
fn may_pass(error: &object_store::Error) -> bool {
    use std::io::ErrorKind;
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return matches!(
                error.kind(),
                ErrorKind::StorageFull
                    | ErrorKind::QuotaExceeded
                    | ErrorKind::FileTooLarge
                    | ErrorKind::ReadOnlyFilesystem
                    | ErrorKind::PermissionDenied
            );
        }
        cause = error.source();
    }
    false
}

/// Why an upload failed; nothing of it is left behind.
#[derive(Debug)]
pub enum UploadError<E> {
    /// It has more bytes than allowed.
    TooLarge,
    /// The sender broke off.
    Content(E),
    /// It could not be stored.
    Store(FileError),
}

/// A place for files that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LocationError {
    /// A folder cannot be made or read.
    #[error("cannot use the folder {}: {error}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A bucket is not there, or may not be used.
    #[error("cannot use the bucket {bucket}: {error}")]
    Bucket {
        /// The bucket's name.
        bucket: String,
        /// Why.
        error: object_store::Error,
    },
}
