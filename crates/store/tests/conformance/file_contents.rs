//! The contents of files, wherever they are kept: what was stored is read as it was sent, and what was not is not there.

use std::convert::Infallible;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use prilavok_store::files::{Bucket, FileError, FileStore, Upload, UploadError};

use crate::file_places::{S3Server, in_bucket, on_every_file_store};
use crate::population::*;

const KIB: usize = 1024;
const MAX: u64 = 5 * 1024 * 1024;

/// What is sent, in pieces of so many bytes.
fn pieces(content: &[u8], of: usize) -> Vec<Result<Bytes, Infallible>> {
    content
        .chunks(of)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect()
}

async fn put(files: &FileStore, content: &[u8], of: usize) -> Result<Upload, UploadError<Infallible>> {
    files
        .put(shop(), at(0), stream::iter(pieces(content, of)), MAX)
        .await
}

async fn content(files: &FileStore, object: &str) -> Result<(u64, Vec<u8>), FileError> {
    let (size, content) = files.get(object).await?;
    let pieces: Vec<_> = content.try_collect().await.expect("all of it");
    Ok((size, pieces.concat()))
}

async fn all(files: &FileStore) -> Vec<String> {
    let long_after = at(0).plus_millis(1_000 * 365 * 24 * 3_600_000);
    let all = files.older_than(long_after).try_collect();
    all.await.expect("a list")
}

#[tokio::test]
async fn a_file_is_read_as_it_was_sent_however_it_came() {
    on_every_file_store(async |files| {
        let mut stored = Vec::new();
        for (size, of) in [
            (0, 1),
            (1, 1),
            (100, 7),
            (128 * KIB - 1, 4 * KIB),
            (128 * KIB, 128 * KIB),
            (128 * KIB + 1, 4 * KIB),
            (384 * KIB, 50_000),
            (5 * 1024 * KIB, 16 * KIB),
            (5 * 1024 * KIB, 5 * 1024 * KIB),
        ] {
            let sent: Vec<u8> = (0..251).cycle().take(size).collect();
            let upload = put(files, &sent, of).await.expect("stored");
            assert_eq!(upload.size, size as u64);
            assert_eq!(files.size(&upload.object).await.expect("its size"), size as u64);
            let read = content(files, &upload.object).await.expect("its content");
            assert!(read == (size as u64, sent), "{size} bytes in pieces of {of}");
            stored.push(upload.object);
        }
        let mut listed = all(files).await;
        listed.sort();
        stored.sort();
        assert_eq!(listed, stored);
    })
    .await;
}

#[tokio::test]
async fn what_is_too_large_or_breaks_off_leaves_nothing() {
    on_every_file_store(async |files| {
        let too_large = put(files, &vec![7; 5 * 1024 * KIB + 1], 64 * KIB).await;
        assert!(matches!(too_large, Err(UploadError::TooLarge)), "{too_large:?}");
        for before in [0, 100, 300 * KIB] {
            let sent = Bytes::from(vec![7; before]);
            let broken = stream::iter([Ok(sent), Err("gone")]);
            let broken = files.put(shop(), at(0), broken, MAX).await;
            assert!(matches!(broken, Err(UploadError::Content("gone"))), "{broken:?}");
        }
        assert_eq!(all(files).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_told_from_what_was_removed_twice() {
    on_every_file_store(async |files| {
        let upload = put(files, b"hello", 2).await.expect("stored");
        files.remove(&upload.object).await.expect("removed");
        assert!(matches!(
            files.size(&upload.object).await,
            Err(FileError::NotFound)
        ));
        let read = content(files, &upload.object).await;
        assert!(matches!(read, Err(FileError::NotFound)), "{read:?}");
        // It may be told that it is not there, and nothing worse.
        let again = files.remove(&upload.object).await;
        assert!(matches!(again, Ok(()) | Err(FileError::NotFound)), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn a_bucket_that_cannot_be_reached_is_unavailable_until_it_can() {
    let folder = tempfile::tempdir().expect("a folder");
    let (files, server) = in_bucket(folder.path());
    let mut server = server.expect("a server");
    files.look().await.expect("there");
    let upload = put(&files, b"hello", 2).await.expect("stored");
    server.kill();
    let began = Instant::now();
    assert!(matches!(files.look().await, Err(FileError::Unavailable(_))));
    for size in [5, 300 * KIB] {
        let refused = put(&files, &vec![7; size], 64 * KIB).await;
        assert!(
            matches!(refused, Err(UploadError::Store(FileError::Unavailable(_)))),
            "{refused:?}"
        );
    }
    let read = content(&files, &upload.object).await;
    assert!(matches!(read, Err(FileError::Unavailable(_))), "{read:?}");
    assert!(matches!(
        files.size(&upload.object).await,
        Err(FileError::Unavailable(_))
    ));
    let named = vec![(upload.object.clone(), 5), (upload.object.clone(), 6)];
    let problems = files.problems(named.clone()).await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].told.ends_with("files after it were not looked at"),
        "{problems:?}"
    );
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    server.start_again();
    files.look().await.expect("there again");
    assert_eq!(
        content(&files, &upload.object).await.expect("its content").1,
        b"hello"
    );
    put(&files, b"hello again", 2).await.expect("stored");
    assert_eq!(files.problems(named).await.len(), 1, "one has another size");
}

/// Opens the server's bucket, or another one, with variables changed.
fn open(
    server: &S3Server,
    bucket: Option<&str>,
    change: (&str, &str),
    folder: &std::path::Path,
) -> FileStore {
    let mut place = server.bucket();
    if let Some(name) = bucket {
        place = Bucket {
            name: name.to_owned(),
            ..place
        };
    }
    let variables = server
        .variables()
        .into_iter()
        .filter(|(name, _)| name != change.0);
    let changed = (change.0.to_owned(), change.1.to_owned());
    FileStore::bucket(&place, folder, variables.chain([changed])).expect("a file store")
}

#[tokio::test]
async fn a_wrong_key_or_bucket_is_no_outage_and_never_a_missing_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, server) = in_bucket(folder.path());
    let server = server.expect("a server");
    let unchanged = ("AWS_REGION", "us-east-1");
    for (what, files) in [
        (
            "secret",
            open(&server, None, ("AWS_SECRET_ACCESS_KEY", "wrong"), folder.path()),
        ),
        ("bucket", open(&server, Some("nowhere"), unchanged, folder.path())),
    ] {
        let looked = files.look().await;
        assert!(matches!(looked, Err(FileError::Failed(_))), "{what}: {looked:?}");
    }
    let files = open(&server, None, ("AWS_SECRET_ACCESS_KEY", "wrong"), folder.path());
    let refused = put(&files, b"hello", 2).await;
    assert!(
        matches!(refused, Err(UploadError::Store(FileError::Unavailable(_)))),
        "{refused:?}"
    );
    // Without TLS nothing is sent unless that is allowed.
    let files = open(&server, None, ("AWS_ALLOW_HTTP", "false"), folder.path());
    assert!(files.look().await.is_err());
}
