//! The bytes of files, kept through `object_store`: in a local folder, or in a store that speaks S3. A file is there, in
//! a folder synced to the disk, before the message that names it is written.

use std::ffi::OsString;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt};
use prilavok_domain::{BusinessId, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

mod bucket;
mod error;
mod location;
mod media_type;
mod unfinished;
mod writing;

pub use error::{FileError, LocationError, UploadError};
pub use location::{Bucket, Location, NoLocation};
use writing::{Gathered, MAX_SENDING, Writing};

/// Bytes gathered before they are written: the most of a file that is in memory at a time.
const CHUNK: usize = 128 * 1024;
/// How long anything may take that is asked of a store elsewhere, with all that is tried again.
const PATIENCE: Duration = Duration::from_secs(30);
/// Questions to a store at a time, where there are many.
const AT_ONCE: usize = 16;

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
    place: Place,
}

#[derive(Clone)]
enum Place {
    /// A local folder.
    Folder(PathBuf),
    /// A bucket of a store that speaks S3.
    Bucket {
        /// Where files are gathered that are to be sent there.
        gathering: Arc<Path>,
        /// Files that are being sent.
        sending: Arc<Semaphore>,
    },
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// Its object.
    pub object: String,
    /// Whether the file store has it no more.
    pub is_missing: bool,
    /// A sentence for people.
    pub told: String,
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
            place: Place::Folder(folder.to_owned()),
        })
    }

    /// Files in a bucket, reached as `variables` say: the usual ones, `AWS_ENDPOINT_URL` and so on. They are gathered in
    /// the folder `gathering` before they are sent. Nothing is asked of the bucket yet.
    pub fn bucket(
        bucket: &Bucket,
        gathering: &Path,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, LocationError> {
        let objects = bucket::open(bucket, variables.into_iter());
        Ok(Self {
            objects: objects.map_err(|error| LocationError::Bucket {
                bucket: bucket.name.clone(),
                error,
            })?,
            place: Place::Bucket {
                gathering: gathering.into(),
                sending: Arc::new(Semaphore::new(MAX_SENDING)),
            },
        })
    }

    /// Files where `location` says, for a server whose data is in the folder `data`. How a bucket is reached is said by
    /// the variables of this process.
    pub fn open(location: &Location, data: &Path) -> Result<Self, LocationError> {
        let in_folder = |folder: &Path| {
            Self::local(folder).map_err(|error| LocationError::Folder {
                folder: folder.to_owned(),
                error,
            })
        };
        match location {
            Location::Data => in_folder(&data.join("files")),
            Location::Folder(folder) => in_folder(folder),
            Location::Bucket(bucket) => {
                let text = |text: OsString| text.into_string().ok();
                let variables = std::env::vars_os();
                let variables = variables.filter_map(|(name, value)| Some((text(name)?, text(value)?)));
                Self::bucket(bucket, data, variables)
            }
        }
    }

    /// Whether a store elsewhere answers, and lets us in. One that cannot be reached may be there later.
    pub async fn look(&self) -> Result<(), FileError> {
        let Place::Bucket { .. } = self.place else {
            return Ok(());
        };
        let mut listed = self.objects.list(None);
        match self.in_time(async { listed.next().await.transpose() }).await {
            Ok(_) => Ok(()),
            Err(error) if bucket::refuses(&error) => Err(FileError::Failed(error)),
            Err(error) => Err(FileError::Unavailable(error)),
        }
    }

    /// Bounds what is asked of a store elsewhere. A folder answers, or the disk hangs and everything with it.
    async fn in_time<T>(
        &self,
        asking: impl Future<Output = object_store::Result<T>>,
    ) -> object_store::Result<T> {
        let Place::Bucket { .. } = self.place else {
            return asking.await;
        };
        tokio::time::timeout(PATIENCE, asking)
            .await
            .unwrap_or_else(|late| {
                Err(object_store::Error::Generic {
                    store: "S3",
                    source: Box::new(late),
                })
            })
    }

    /// What a failure means. What a store elsewhere refuses is the operator's to put right there, and nothing is wrong here.
    fn told(&self, error: object_store::Error) -> FileError {
        match (&self.place, error) {
            (Place::Bucket { .. }, error) if !matches!(error, object_store::Error::NotFound { .. }) => {
                FileError::Unavailable(error)
            }
            (_, error) => error.into(),
        }
    }

    /// Streams at most `max` bytes into the store. When this has succeeded they are kept: synced to the disk, or
    /// acknowledged by the store.
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
        let mut writing = match &self.place {
            Place::Folder(_) => Writing::Parts(
                self.objects
                    .put_multipart(&path)
                    .await
                    .map_err(|error| self.lost(error))?,
            ),
            Place::Bucket { gathering, sending } => Writing::Whole(Gathered::new(
                Arc::clone(&self.objects),
                path,
                Arc::clone(sending),
                Arc::clone(gathering),
            )),
        };
        let mut upload = Upload {
            object,
            size: 0,
            media_type: String::new(),
            sha256: [0; 32],
        };
        match self.receive(&mut writing, &mut content, max, &mut upload).await {
            Ok(()) => {
                let completed = self.in_time(writing.complete()).await;
                completed.map(|()| upload).map_err(|error| self.lost(error))
            }
            Err(error) => {
                // The upload's own error is what counts.
                writing.abort().await;
                Err(error)
            }
        }
    }

    /// What it means that a file could not be stored.
    fn lost<E>(&self, error: object_store::Error) -> UploadError<E> {
        UploadError::Store(match (&self.place, error) {
            // The bucket is gone.
            (Place::Bucket { .. }, error) => FileError::Unavailable(error),
            (Place::Folder(_), error) => error.into(),
        })
    }

    /// A file's size and content.
    pub async fn get(
        &self,
        object: &str,
    ) -> Result<(u64, impl Stream<Item = std::io::Result<Bytes>> + Send + use<>), FileError> {
        let path = object_store::path::Path::from(object);
        let found = self.in_time(self.objects.get(&path)).await;
        let found = found.map_err(|error| self.told(error))?;
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

    /// Copies a file into another file store, under the same name; answers SHA-256 of what was read.
    pub async fn copy_to(&self, other: &Self, object: &str) -> Result<[u8; 32], FileError> {
        let path = object_store::path::Path::from(object);
        // Files are a few MiB at the most, and one is copied at a time.
        let content = self.objects.get(&path).await?.bytes().await?;
        let digest = Sha256::digest(&content).into();
        other
            .objects
            .put(&path, object_store::PutPayload::from_bytes(content))
            .await?;
        Ok(digest)
    }

    /// A file's size in bytes.
    pub async fn size(&self, object: &str) -> Result<u64, FileError> {
        let path = object_store::path::Path::from(object);
        let found = self.in_time(self.objects.head(&path)).await;
        Ok(found.map_err(|error| self.told(error))?.size)
    }

    /// What is wrong with files that messages name, each with the size that is said of it.
    pub async fn problems(&self, named: Vec<(String, u64)>) -> Vec<FileProblem> {
        let looks = named
            .into_iter()
            .map(async |(object, size)| (self.size(&object).await, object, size));
        let mut looks = futures_util::stream::iter(looks).buffered(AT_ONCE);
        let mut problems = Vec::new();
        while let Some((found, object, size)) = looks.next().await {
            let is_away = matches!(found, Err(FileError::Unavailable(_)));
            let is_missing = matches!(found, Err(FileError::NotFound));
            let told = match found {
                Ok(found) if found == size => continue,
                Ok(found) => format!("file {object} has {found} bytes instead of {size}"),
                Err(error) if is_away => format!("file {object}: {error}; files after it were not looked at"),
                Err(error) => format!("file {object}: {error}"),
            };
            problems.push(FileProblem {
                object,
                is_missing,
                told,
            });
            if is_away {
                break;
            }
        }
        problems
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
        // What was on its way into a bucket has no name, and is gone with the process.
        let Place::Folder(folder) = self.place.clone() else {
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
        let path = object_store::path::Path::from(object);
        let removed = self.in_time(self.objects.delete(&path)).await;
        removed.map_err(|error| self.told(error))
    }

    async fn receive<S, E>(
        &self,
        writing: &mut Writing,
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
                    writing.take(chunk).await.map_err(|error| self.lost(error))?;
                }
            }
            if ended {
                break;
            }
        }
        upload.sha256 = sha256.finalize().into();
        Ok(())
    }
}

/// A name that no other file has: by business and day, so that no folder grows without bound.
fn new_object_name(business: BusinessId, now: Timestamp) -> String {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).expect("the system gives random bytes");
    let day = now.as_millis() / 86_400_000;
    format!("{business}/{day}/{:032x}", u128::from_be_bytes(random))
}
