//! The bytes of files, kept through `object_store`: a local folder, or what else speaks its
//! interface. A file is here, synced to the disk, before the message that names it is written.

use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use prilavok_domain::{BusinessId, Timestamp};
use sha2::{Digest, Sha256};

mod media_type;
mod unfinished;

/// Bytes gathered before they are written: the most of a file that is in memory at a time.
const CHUNK: usize = 128 * 1024;

/// Why a file cannot be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no such object.
    #[error("it is not in the file store")]
    NotFound,
    /// The disk is full, or may not be written: asking again later may help.
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

/// A file that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Where it lies.
    pub object: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type, found from its content.
    pub media_type: String,
    /// SHA-256 of its content.
    pub sha256: [u8; 32],
}

/// Where the bytes of files are kept.
#[derive(Clone)]
pub struct FileStore {
    objects: Arc<dyn ObjectStore>,
    /// The local folder that they are in, if they are in one.
    folder: Option<PathBuf>,
}

impl FileStore {
    /// Files in a local folder, which is made if there is none.
    pub fn local(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let objects = LocalFileSystem::new_with_prefix(folder)?
            .with_fsync(true)
            .with_automatic_cleanup(true);
        Ok(Self {
            objects: Arc::new(objects),
            folder: Some(folder.to_owned()),
        })
    }

    /// Streams at most `max` bytes into the store, synced to the disk.
    pub async fn put<S, E>(
        &self,
        business: BusinessId,
        now: Timestamp,
        mut content: S,
        max: u64,
    ) -> Result<Upload, UploadError<E>>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Send,
    {
        let object = new_object_name(business, now);
        let path = object_store::path::Path::from(object.as_str());
        let mut writing = self.objects.put_multipart(&path).await.map_err(stored)?;
        let mut upload = Upload {
            object,
            size: 0,
            media_type: String::new(),
            sha256: [0; 32],
        };
        match receive(&mut *writing, &mut content, max, &mut upload).await {
            Ok(()) => Ok(upload),
            Err(error) => {
                // The upload's own error is what counts; a part that stays behind is swept later.
                let _ = writing.abort().await;
                Err(error)
            }
        }
    }

    /// A file's size and content.
    pub async fn get(
        &self,
        object: &str,
    ) -> Result<(u64, impl Stream<Item = std::io::Result<Bytes>> + Send + use<>), FileError> {
        let found = self.objects.get(&object_store::path::Path::from(object)).await?;
        let size = found.meta.size;
        Ok((size, found.into_stream().map_err(std::io::Error::other)))
    }

    /// SHA-256 of a file's content, read to its end.
    pub async fn digest(&self, object: &str) -> Result<[u8; 32], FileError> {
        let found = self.objects.get(&object_store::path::Path::from(object)).await?;
        let mut content = found.into_stream();
        let mut sha256 = Sha256::new();
        while let Some(bytes) = content.try_next().await? {
            sha256.update(&bytes);
        }
        Ok(sha256.finalize().into())
    }

    /// Copies a file into another file store, under the same name.
    pub async fn copy_to(&self, other: &Self, object: &str) -> Result<(), FileError> {
        let path = object_store::path::Path::from(object);
        // Files are a few MiB at the most, and one is copied at a time.
        let content = self.objects.get(&path).await?.bytes().await?;
        other.objects.put(&path, PutPayload::from_bytes(content)).await?;
        Ok(())
    }

    /// A file's size in bytes.
    pub async fn size(&self, object: &str) -> Result<u64, FileError> {
        Ok(self
            .objects
            .head(&object_store::path::Path::from(object))
            .await?
            .size)
    }

    /// The objects that were last written before `before`.
    pub fn older_than(
        &self,
        before: Timestamp,
    ) -> impl Stream<Item = Result<String, FileError>> + Send + use<> {
        let listed = self.objects.list(None).map_err(FileError::from);
        listed.try_filter_map(move |object| {
            let is_old = object.last_modified.timestamp_millis() < before.as_millis();
            ready(Ok(is_old.then(|| object.location.to_string())))
        })
    }

    /// Removes what is left of uploads that were cut off before `before`; answers how many there were.
    pub async fn sweep_unfinished(&self, before: Timestamp) -> Result<u64, FileError> {
        let Some(folder) = self.folder.clone() else {
            return Ok(0);
        };
        let sweeping = tokio::task::spawn_blocking(move || unfinished::sweep(&folder, before));
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            FileError::Failed(object_store::Error::Generic {
                store: "local",
                source: error,
            })
        };
        sweeping
            .await
            .map_err(|error| failed(error.into()))?
            .map_err(|error| failed(error.into()))
    }

    /// Removes a file that no message names.
    pub async fn remove(&self, object: &str) -> Result<(), FileError> {
        Ok(self
            .objects
            .delete(&object_store::path::Path::from(object))
            .await?)
    }
}

fn stored<E>(error: object_store::Error) -> UploadError<E> {
    UploadError::Store(error.into())
}

async fn receive<S, E>(
    writing: &mut dyn MultipartUpload,
    content: &mut S,
    max: u64,
    upload: &mut Upload,
) -> Result<(), UploadError<E>>
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
{
    let mut sha256 = Sha256::new();
    let mut gathered = BytesMut::new();
    let mut first_chunk = true;
    loop {
        let next = content.next().await.transpose().map_err(UploadError::Content)?;
        let ended = next.is_none();
        if let Some(bytes) = next {
            upload.size += bytes.len() as u64;
            if upload.size > max {
                return Err(UploadError::TooLarge);
            }
            sha256.update(&bytes);
            gathered.extend_from_slice(&bytes);
        }
        if gathered.len() >= CHUNK || ended {
            let chunk = gathered.split().freeze();
            if first_chunk {
                upload.media_type = media_type::of(&chunk).to_owned();
                first_chunk = false;
            }
            if !chunk.is_empty() || upload.size == 0 {
                writing
                    .put_part(PutPayload::from_bytes(chunk))
                    .await
                    .map_err(stored)?;
            }
        }
        if ended {
            break;
        }
    }
    upload.sha256 = sha256.finalize().into();
    writing.complete().await.map_err(stored)?;
    Ok(())
}

/// A name that no other file has: by business and day, so that no folder grows without bound.
fn new_object_name(business: BusinessId, now: Timestamp) -> String {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).expect("the system gives random bytes");
    let day = now.as_millis() / 86_400_000;
    format!("{business}/{day}/{:032x}", u128::from_be_bytes(random))
}
