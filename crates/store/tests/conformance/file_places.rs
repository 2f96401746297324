//! The places that files can be kept in.

use std::path::Path;

use prilavok_store::files::FileStore;

use crate::places::{Site, on_every_store};

#[path = "../../../../tests/s3_server.rs"]
mod s3_server;
pub(crate) use s3_server::S3Server;

/// A file store, and what it needs to go on.
type Opened = (FileStore, Option<S3Server>);

type Open = fn(&Path) -> Opened;

const PLACES: &[(&str, Open)] = &[("a folder", in_folder), ("a bucket", in_bucket)];

fn in_folder(folder: &Path) -> Opened {
    let files = FileStore::local(&folder.join("files"));
    (files.expect("a file store"), None)
}

/// Files in a bucket of a server that keeps it in `folder`.
pub(crate) fn in_bucket(folder: &Path) -> Opened {
    let server = S3Server::start(&folder.join("s3"));
    let files = FileStore::bucket(&server.bucket(), folder, server.variables());
    (files.expect("a file store"), Some(server))
}

/// Runs the case in each place for files.
pub(crate) async fn on_every_file_store(case: impl AsyncFn(&FileStore)) {
    for (name, open) in PLACES {
        // Shown with a failure only.
        println!("files in {name}");
        let folder = tempfile::tempdir().expect("a folder");
        let (files, _server) = open(folder.path());
        case(&files).await;
    }
}

/// Runs the case on each store beside files in each place.
pub(crate) fn on_every_store_with_files(case: &impl AsyncFn(&Site, &FileStore)) {
    for (name, open) in PLACES {
        println!("files in {name}");
        on_every_store(async |site| {
            let (files, _server) = open(site.folder.path());
            case(&site, &files).await;
        });
    }
}
