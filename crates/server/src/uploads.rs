//! Files of a form that no message names yet.

use std::sync::Arc;

use prilavok_domain::{BusinessId, ChatId, Message};
use prilavok_store::files::FileStore;
use prilavok_store::{Applied, Idempotency, NewMessage, StoreError, StoredFile};
use tokio::task::JoinError;

use crate::app::SharedApp;

/// Files that no message names yet: removed when dropped.
pub(crate) struct Uploads {
    store: FileStore,
    files: Vec<StoredFile>,
}

impl Uploads {
    /// None yet; they will be in `store`.
    pub(crate) const fn new(store: FileStore) -> Self {
        Self {
            store,
            files: Vec::new(),
        }
    }

    /// One more, which was stored.
    pub(crate) fn add(&mut self, file: StoredFile) {
        self.files.push(file);
    }

    /// Those that were stored.
    pub(crate) fn files(&self) -> &[StoredFile] {
        &self.files
    }

    /// Writes the message that names the files. Goes on when the client breaks off: a message and its
    /// files are kept together or not at all.
    pub(crate) async fn send(
        self,
        app: &SharedApp,
        business: BusinessId,
        chat: ChatId,
        new: NewMessage,
        once: Option<Idempotency>,
    ) -> Result<Result<Applied<Message>, StoreError>, JoinError> {
        let app = Arc::clone(app);
        let sending = tokio::spawn(async move {
            let written = app
                .store
                .append_message(business, chat, new, once, app.now())
                .await;
            match &written {
                Ok(applied) if applied.replayed => drop(self),
                Err(StoreError::Refused(_)) => drop(self),
                // After a failure nobody knows whether the message was written: orphans are swept.
                Ok(_) | Err(_) => self.keep(),
            }
            written
        });
        sending.await
    }

    /// A message names them now.
    fn keep(mut self) {
        self.files.clear();
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        let files = std::mem::take(&mut self.files);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if !files.is_empty() {
            let store = self.store.clone();
            runtime.spawn(async move {
                for file in files {
                    if let Err(error) = store.remove(&file.object).await {
                        tracing::warn!(file.object, %error, "a file that is not needed could not be removed");
                    }
                }
            });
        }
    }
}
