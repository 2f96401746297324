//! Feeding the index behind the writes.
//!
//! Every message and every chat has an event, written in the same transaction, so the events after a cursor are all that
//! is new. The cursor is kept in the index, in the transaction of what it stands for: what a crash takes away from the
//! index it takes away from the cursor as well. What was there before the cursor began is read once, chat by chat; the
//! place is kept in the same way. A document that is written twice is there once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prilavok_domain::{BusinessId, ChatId, Message, PublicId};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::Search;
use super::index::{self, Document, Progress, Purge};
use crate::{MessageRange, Result, Store, StoreError};

/// How long nothing is looked at when all is written: what comes meanwhile is written together.
const PAUSE: Duration = Duration::from_millis(300);
/// After a failure.
const LONG_PAUSE: Duration = Duration::from_secs(2);
/// Events in a step.
const EVENTS: usize = 1_000;
/// Messages of what was there before, in a step.
const MESSAGES: usize = 1_000;
/// Chats in a step.
const CHATS: usize = 200;
/// Changed names in a step.
const NAMES: usize = 100;
/// Chats in a step that something was taken away from.
const TAKEN: usize = 100;
/// Words are purged no more often than this: each time, all of the index is read and written.
const PURGE_EVERY: Duration = Duration::from_secs(3_600);
/// Documents between two lines of the log.
const TOLD_EVERY: u64 = 250_000;

/// The thread that feeds an index. It is a thread and no task, since it reads and writes without waiting in between.
pub struct Follower {
    search: Arc<Search>,
    stopping: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Follower {
    /// Starts it, within the runtime that the store's own tasks run on.
    pub fn start(search: Arc<Search>, store: Arc<dyn Store>) -> std::io::Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let runtime = Handle::try_current().map_err(std::io::Error::other)?;
        let following = Following {
            search: Arc::clone(&search),
            store,
            stopping: Arc::clone(&stopping),
            began: None,
            purged: None,
        };
        let thread = std::thread::Builder::new()
            .name("search".to_owned())
            .spawn(move || following.run(&runtime))?;
        Ok(Self {
            search,
            stopping,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The index that it feeds.
    #[must_use]
    pub fn search(&self) -> &Search {
        &self.search
    }

    /// Ends it after the step under way, and closes the index. Blocks.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.lock().take() {
            thread.thread().unpark();
            // A thread that panicked has told so on standard error.
            let _ = thread.join();
        }
        self.search.close();
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

struct Following {
    search: Arc<Search>,
    store: Arc<dyn Store>,
    stopping: Arc<AtomicBool>,
    /// When the index was begun, and how much had been written then.
    began: Option<(Instant, u64)>,
    /// When purging began last.
    purged: Option<Instant>,
}

impl Following {
    fn run(mut self, runtime: &Handle) {
        let mut failing = false;
        while !self.stopping.load(Ordering::Relaxed) {
            let began = Instant::now();
            match runtime.block_on(self.step()) {
                Ok(Step::Idle) => std::thread::park_timeout(PAUSE),
                Ok(Step::More) => {}
                // Half of a processor is enough for what can last.
                Ok(Step::Old) => std::thread::park_timeout(began.elapsed()),
                Err(_) if self.stopping.load(Ordering::Relaxed) => return,
                Err(error) => {
                    self.search.complete.store(false, Ordering::Relaxed);
                    if !failing {
                        tracing::warn!(%error, "the search index falls behind");
                    }
                    failing = true;
                    std::thread::park_timeout(LONG_PAUSE);
                    continue;
                }
            }
            failing = false;
        }
    }

    /// One step: what is new first, then some of what was there before.
    async fn step(&mut self) -> Result<Step> {
        let progress = match self.search.with_writer(|conn| index::progress(conn))? {
            Some(progress) if self.is_of_this(&progress).await? => progress,
            Some(_) => {
                tracing::warn!("the search index is of another state of the store and made anew");
                self.search.clear()?;
                self.begin().await?
            }
            None => self.begin().await?,
        };
        let (progress, more) = self.take_new(progress).await?;
        if more {
            return Ok(Step::More);
        }
        if !progress.built {
            self.take_old(progress).await?;
            return Ok(Step::Old);
        }
        if self.purge(&progress)? {
            return Ok(Step::Old);
        }
        if self.began.take().is_some() {
            tracing::info!(written = self.search.indexed(), "the search index is complete");
        }
        self.search.complete.store(true, Ordering::Relaxed);
        Ok(Step::Idle)
    }

    /// Purges words of what was removed, some of them; answers whether it did.
    fn purge(&mut self, progress: &Progress) -> Result<bool> {
        match progress.purge {
            Purge::Done => return Ok(false),
            Purge::Due if self.purged.is_some_and(|last| last.elapsed() < PURGE_EVERY) => return Ok(false),
            Purge::Due => self.purged = Some(Instant::now()),
            Purge::UnderWay => {}
        }
        self.search.with_writer(|conn| index::purge(conn, progress))?;
        Ok(true)
    }

    async fn source(&self) -> Result<[u8; 32]> {
        let secret = self.store.server_secret().await?;
        let mut hash = Sha256::new_with_prefix(b"search");
        hash.update(secret);
        Ok(hash.finalize().into())
    }

    /// Whether the index was made of this store as it is, and nothing was forgotten before it was seen.
    async fn is_of_this(&self, progress: &Progress) -> Result<bool> {
        let marks = self.store.marks().await?;
        let is_older =
            marks.event < progress.event || marks.renamed < progress.renamed || marks.taken < progress.taken;
        let is_told = marks.forgotten_event <= progress.event && marks.forgotten_taken <= progress.taken;
        Ok(progress.source == self.source().await? && !is_older && is_told)
    }

    async fn begin(&mut self) -> Result<Progress> {
        self.search.complete.store(false, Ordering::Relaxed);
        // Before anything is read: what comes later is new.
        let marks = self.store.marks().await?;
        let progress = Progress {
            source: self.source().await?,
            event: marks.event,
            renamed: marks.renamed,
            taken: marks.taken,
            purge: Purge::Done,
            at: None,
            message: None,
            built: false,
        };
        self.write(&[], &progress)?;
        tracing::info!("the search index is made from the store");
        self.began = Some((Instant::now(), self.search.indexed()));
        Ok(progress)
    }

    /// Writes what is new, as much as one step takes; answers how far that came, and whether there may be more.
    async fn take_new(&self, mut progress: Progress) -> Result<(Progress, bool)> {
        let events = self.store.events(None, progress.event, EVENTS).await?;
        // Asked after the events were read: what was forgotten until then was not among them.
        if self.store.marks().await?.forgotten_event > progress.event {
            return Err(StoreError::Unavailable("events were forgotten unseen".to_owned()));
        }
        if let Some(last) = events.last() {
            let mut documents = Vec::with_capacity(events.len());
            for event in &events {
                let (business, chat) = (event.business, event.chat);
                documents.extend(match event.message {
                    None => self.store.chat(business, chat).await?.map(Document::Chat),
                    Some(id) => {
                        let message = self.store.message(business, chat, id).await?;
                        message.and_then(|message| document(business, chat, message))
                    }
                });
            }
            progress.event = last.id.get();
            self.write(&documents, &progress)?;
        }
        let renamed = self.store.renamed_customers(progress.renamed, NAMES).await?;
        for (place, customer) in &renamed {
            self.rename(customer, &progress).await?;
            progress.renamed = *place;
            self.write(&[], &progress)?;
        }
        let taken = self.store.taken_from(progress.taken, TAKEN).await?;
        if self.store.marks().await?.forgotten_taken > progress.taken {
            return Err(StoreError::Unavailable(
                "removed chats were forgotten unseen".to_owned(),
            ));
        }
        for from in &taken {
            progress.purge = Purge::Due;
            self.take_away(from.business, from.chat, &progress).await?;
            progress.taken = from.place;
            self.write(&[], &progress)?;
        }
        let more = events.len() == EVENTS || renamed.len() == NAMES || taken.len() == TAKEN;
        Ok((progress, more))
    }

    /// Takes a chat out, and writes what is left of it anew.
    async fn take_away(&self, business: BusinessId, chat: ChatId, progress: &Progress) -> Result<()> {
        while !self
            .search
            .with_writer(|conn| index::forget(conn, business, chat, progress))?
        {}
        let Some(left) = self.store.chat(business, chat).await? else {
            return Ok(());
        };
        self.write(&[Document::Chat(left)], progress)?;
        let mut range = MessageRange::default();
        loop {
            let page = self.store.messages(business, chat, range, MESSAGES).await?;
            range.after = page.items.last().map(|last| last.id);
            let documents: Vec<_> = page
                .items
                .into_iter()
                .filter_map(|it| document(business, chat, it))
                .collect();
            self.write(&documents, progress)?;
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Writes the chats of a customer anew.
    async fn rename(&self, customer: &PublicId, progress: &Progress) -> Result<()> {
        let mut after = None;
        loop {
            let chats = self
                .search
                .with_writer(|conn| index::chats_of(conn, customer, after, CHATS))?;
            let mut documents = Vec::with_capacity(chats.len());
            for (business, chat) in &chats {
                documents.extend(self.store.chat(*business, *chat).await?.map(Document::Chat));
            }
            self.write(&documents, progress)?;
            match chats.last() {
                Some(last) if chats.len() == CHATS => after = Some(*last),
                _ => return Ok(()),
            }
        }
    }

    /// Writes some of what was there before the index was begun.
    async fn take_old(&mut self, mut progress: Progress) -> Result<()> {
        let mut documents = Vec::new();
        // The rest of the chat at hand, then the next ones.
        if self.messages(&mut documents, &mut progress).await? {
            let chats = self.store.chats_by_id(progress.at, CHATS).await?;
            progress.built = chats.is_empty();
            for chat in chats {
                progress.at = Some((chat.business, chat.id));
                progress.message = None;
                documents.push(Document::Chat(chat));
                if !self.messages(&mut documents, &mut progress).await? {
                    break;
                }
            }
        }
        self.write(&documents, &progress)?;
        if let Some((began, before)) = self.began {
            let written = self.search.indexed() - before;
            let earlier = written - (documents.len() as u64).min(written);
            if written / TOLD_EVERY > earlier / TOLD_EVERY {
                tracing::info!(
                    written,
                    seconds = began.elapsed().as_secs(),
                    "the search index grows"
                );
            }
        } else {
            // It was begun by a server that has stopped since.
            self.began = Some((Instant::now(), self.search.indexed()));
        }
        Ok(())
    }

    /// Takes messages of the chat at hand, as many as fit; answers whether it has no more of them and there is room.
    async fn messages(&self, documents: &mut Vec<Document>, progress: &mut Progress) -> Result<bool> {
        let Some((business, chat)) = progress.at else {
            return Ok(true);
        };
        let room = MESSAGES.saturating_sub(documents.len());
        if room == 0 {
            return Ok(false);
        }
        let range = MessageRange {
            after: progress.message,
            ..MessageRange::default()
        };
        let page = self.store.messages(business, chat, range, room).await?;
        if let Some(last) = page.items.last() {
            progress.message = Some(last.id);
        }
        documents.extend(
            page.items
                .into_iter()
                .filter_map(|it| document(business, chat, it)),
        );
        Ok(!page.more)
    }

    fn write(&self, documents: &[Document], progress: &Progress) -> Result<()> {
        self.search
            .with_writer(|conn| index::write(conn, documents, progress))?;
        self.search
            .indexed
            .fetch_add(documents.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// What a step did.
enum Step {
    /// All that is there is written.
    Idle,
    /// As much was new as one step takes.
    More,
    /// Something of what was there before was written.
    Old,
}

fn document(business: BusinessId, chat: ChatId, message: Message) -> Option<Document> {
    let text = message.text.filter(|text| !text.is_erased());
    text.map(|text| Document::Message {
        business,
        chat,
        id: message.id,
        text: text.as_str().to_owned(),
    })
}
