//! Readiness, closing, the check, and the figures that a store tells of itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use prilavok_store::files::FileStore;
use prilavok_store::{NewMessage, Observer, StoreError, StoredFile};

use crate::file_places::on_every_store_with_files;
use crate::places::{on_every_populated_store, on_every_store};
use crate::population::*;

#[test]
fn a_store_in_use_is_ready_and_readiness_changes_nothing() {
    on_every_populated_store(async |store| {
        let before = store.access_version().await.expect("a number");
        store.ready().await.expect("a ready store");
        assert_eq!(store.access_version().await.expect("a number"), before);
        assert_eq!(store.queue_depth(), 0);
    });
}

#[test]
fn a_closed_store_says_so_to_readers_and_writers() {
    on_every_store(async |site| {
        let store = &*site.store;
        populate(store).await;
        let chat = new_chat(store, order(100)).await.id;
        store.close().await;
        store.close().await;
        let files = FileStore::local(&site.folder.path().join("files")).expect("a file store");
        let copy = site.folder.path().join("copy");
        let answers = [
            ("ready", store.ready().await.err()),
            ("read", store.chat(shop(), chat).await.err()),
            (
                "list",
                store.chats(shop(), &Default::default(), None, 1).await.err(),
            ),
            (
                "write",
                store
                    .append_message(shop(), chat, customer_says("x"), None, at(1))
                    .await
                    .err(),
            ),
            ("check", store.check(&files).await.err()),
            ("backup", store.backup(&copy, Box::new(|_, _| {})).await.err()),
        ];
        for (operation, error) in answers {
            assert!(
                matches!(error, Some(StoreError::Unavailable(_))),
                "{operation}: {error:?}"
            );
        }
    });
}

#[test]
fn a_check_tells_how_far_it_is() {
    on_every_store(async |site| {
        populate(&*site.store).await;
        new_chat(&*site.store, order(100)).await;
        let files = FileStore::local(&site.folder.path().join("files")).expect("a file store");
        let told = Arc::new(Mutex::new(Vec::new()));
        let telling = Arc::clone(&told);
        let tell = move |done, all| telling.lock().expect("whole").push((done, all));
        let report = site.store.check_and_tell(&files, Arc::new(tell)).await;
        assert_eq!(report.expect("a report").problems, [""; 0]);
        let told = told.lock().expect("whole");
        let all = told[0].1;
        // Each rule is a step.
        assert!(all > 20, "{told:?}");
        let expected: Vec<_> = (0..=all)
            .filter(|done| *done != all - 1)
            .map(|done| (done, all))
            .collect();
        assert_eq!(*told, expected);
    });
}

#[test]
fn closing_commits_what_waits() {
    on_every_store(async |mut site| {
        populate(&*site.store).await;
        let chat = new_chat(&*site.store, order(100)).await.id;
        if !site.keeps_a_queue() {
            return;
        }
        let store = Arc::clone(&site.store);
        let mut waiting: Vec<_> = (0..100)
            .map(|_| store.append_message(shop(), chat, customer_says("x"), None, at(1)))
            .collect();
        for write in &mut waiting {
            // Polled once: it is in the queue, and nobody waits for it yet.
            assert!(write.now_or_never().is_none_or(|answer| answer.is_ok()));
        }
        site.reopen().await;
        assert_eq!(all_messages(&*site.store, chat).await.len(), 100);
    });
}

#[test]
fn every_store_has_one_secret_of_its_own() {
    let secrets = parking_lot::Mutex::new(Vec::new());
    for _ in 0..2 {
        on_every_store(async |mut site| {
            let secret = site.store.server_secret().await.expect("a secret");
            assert_ne!(secret, [0; 32]);
            assert_eq!(site.store.server_secret().await.expect("a secret"), secret);
            site.reopen().await;
            assert_eq!(site.store.server_secret().await.expect("a secret"), secret);
            secrets.lock().push(secret);
        });
    }
    let mut secrets = secrets.into_inner();
    let all = secrets.len();
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), all);
}

#[test]
fn a_sound_store_passes_the_check() {
    on_every_store_with_files(&async |site, files| {
        let store = &*site.store;
        populate(store).await;
        let chat = new_chat(store, order(100)).await.id;
        arbitration(store, chat).await;
        let with_files = NewMessage {
            files: vec![put_file(files, b"one").await, put_file(files, b"two").await],
            ..customer_says("look")
        };
        write(store, chat, with_files, at(1)).await;
        write(store, chat, customer_says("well?"), at(2)).await;
        let report = store.check(files).await.expect("a report");
        assert_eq!(report.problems, Vec::<String>::new());
        assert_eq!((report.chats, report.messages, report.files), (2, 2, 2));
    });
}

#[test]
fn the_check_names_files_that_are_missing_or_of_another_size() {
    on_every_store_with_files(&async |site, files| {
        let store = &*site.store;
        populate(store).await;
        let chat = new_chat(store, order(100)).await.id;
        let missing = put_file(files, b"gone").await;
        let cut = StoredFile {
            size: 99,
            ..put_file(files, b"short").await
        };
        let with_files = NewMessage {
            files: vec![missing.clone(), cut.clone(), put_file(files, b"sound").await],
            ..customer_says("look")
        };
        write(store, chat, with_files, at(1)).await;
        files.remove(&missing.object).await.expect("removed");
        let mut problems = store.check(files).await.expect("a report").problems;
        problems.sort();
        let mut expected = vec![
            format!("file {}: it is not in the file store", missing.object),
            format!("file {} has 5 bytes instead of 99", cut.object),
        ];
        expected.sort();
        assert_eq!(problems, expected);
    });
}

#[derive(Default)]
struct Counts {
    reads: AtomicUsize,
    writes: AtomicUsize,
}

impl Observer for Counts {
    fn read(&self, _: Duration) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    fn commit(&self, _: Duration, writes: usize) {
        self.writes.fetch_add(writes, Ordering::Relaxed);
    }
}

#[test]
fn an_observer_is_told_of_every_read_and_every_committed_write() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let counts = Arc::new(Counts::default());
        store.observe(Arc::clone(&counts) as Arc<dyn Observer>);
        let writes = (0..7).map(|_| write(store, chat, customer_says("x"), at(1)));
        join_all(writes).await;
        read_chat(store, chat).await;
        all_messages(store, chat).await;
        store.close().await;
        assert_eq!(counts.writes.load(Ordering::Relaxed), 7);
        assert_eq!(counts.reads.load(Ordering::Relaxed), 2);
    });
}
