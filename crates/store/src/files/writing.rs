//! A file that is on its way into the store. Whatever the store, no more than a chunk of it is in memory while its
//! sender sends: a store that speaks S3 takes a file in one piece, so it is gathered on the disk first.

use std::io::SeekFrom;
use std::path::Path as Folder;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::sync::Semaphore;

use super::CHUNK;

/// Files that are in memory at a time, whole, on their way to a store that speaks S3.
pub(super) const MAX_SENDING: usize = 8;

/// A file that is on its way.
pub(super) enum Writing {
    /// Into a folder, part by part.
    Parts(Box<dyn MultipartUpload>),
    /// In one piece, at the end.
    Whole(Gathered),
}

/// A file that is gathered to be sent as one.
pub(super) struct Gathered {
    objects: Arc<dyn ObjectStore>,
    to: Path,
    sending: Arc<Semaphore>,
    folder: Arc<Folder>,
    first: Bytes,
    /// What came after the first chunk: a file without a name, which is gone when it is closed, or the process ends.
    more: Option<File>,
}

impl Gathered {
    pub(super) fn new(
        objects: Arc<dyn ObjectStore>,
        to: Path,
        sending: Arc<Semaphore>,
        folder: Arc<Folder>,
    ) -> Self {
        Self {
            objects,
            to,
            sending,
            folder,
            first: Bytes::new(),
            more: None,
        }
    }

    async fn take(&mut self, chunk: Bytes) -> std::io::Result<()> {
        if self.first.is_empty() {
            self.first = chunk;
            return Ok(());
        }
        let file = match &mut self.more {
            Some(file) => file,
            None => self
                .more
                .insert(File::from_std(tempfile::tempfile_in(&self.folder)?)),
        };
        file.write_all(&chunk).await
    }

    async fn send(mut self) -> object_store::Result<()> {
        // Never closed, so always granted.
        let _place = self.sending.acquire().await;
        let mut pieces = vec![self.first];
        if let Some(file) = &mut self.more {
            read(file, &mut pieces).await.map_err(failed)?;
        }
        let payload = PutPayload::from_iter(pieces);
        self.objects.put(&self.to, payload).await?;
        Ok(())
    }
}

/// Reads all of a file that was written, in pieces: a connection copies what it sends, one piece at a time.
async fn read(file: &mut File, pieces: &mut Vec<Bytes>) -> std::io::Result<()> {
    file.flush().await?;
    file.seek(SeekFrom::Start(0)).await?;
    loop {
        let mut piece = Vec::with_capacity(CHUNK);
        (&mut *file).take(CHUNK as u64).read_to_end(&mut piece).await?;
        if piece.is_empty() {
            return Ok(());
        }
        pieces.push(piece.into());
    }
}

impl Writing {
    /// Takes the next chunk.
    pub(super) async fn take(&mut self, chunk: Bytes) -> object_store::Result<()> {
        match self {
            Self::Parts(upload) => upload.put_part(PutPayload::from_bytes(chunk)).await,
            Self::Whole(gathered) => gathered.take(chunk).await.map_err(failed),
        }
    }

    /// Keeps the file: when this has succeeded, it is there.
    pub(super) async fn complete(self) -> object_store::Result<()> {
        match self {
            Self::Parts(mut upload) => upload.complete().await.map(|_| ()),
            Self::Whole(gathered) => gathered.send().await,
        }
    }

    /// Forgets it.
    pub(super) async fn abort(self) {
        if let Self::Parts(mut upload) = self {
            // A part that stays behind is swept later.
            let _ = upload.abort().await;
        }
    }
}

fn failed(error: std::io::Error) -> object_store::Error {
    object_store::Error::Generic {
        store: "gathering",
        source: Box::new(error),
    }
}
