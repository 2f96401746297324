//! Chats and lists of them in memory, as the last commit left them, and the moments between commits that make sure of it.
//!
//! A chat is asked for by nearly every call, and finding one in the file costs as much as the HTTP around it. What is
//! kept here is never stale: the writer takes out what a group changes before the group is committed, and what was read
//! before a commit is not kept after it.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use prilavok_domain::{BusinessId, Chat, ChatId, Customer, PublicId};
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use super::known_lists::{Kinds, Lists};
use super::places::ChatNumber;

/// Chats that are kept, at 150 bytes each, and their customers, at as much again.
const CHATS: u64 = 1_000_000;
const CUSTOMERS: u64 = 300_000;
/// Room for so many is made when the first are kept.
const AT_FIRST: usize = 100_000;

/// What a group of writes changes.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) chats: HashSet<ChatId>,
    /// The businesses of these chats.
    pub(super) businesses: HashSet<BusinessId>,
    pub(super) customers: HashSet<PublicId>,
}

impl Changed {
    pub(super) fn clear(&mut self) {
        self.chats.clear();
        self.businesses.clear();
        self.customers.clear();
    }

    fn has(&self, chat: &Chat) -> bool {
        self.chats.contains(&chat.id) || self.customers.contains(&chat.customer.public_id)
    }
}

/// A time in which nothing that this process knows of became visible: between two commits, or while one is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(u64);

impl Moment {
    /// Whether a commit is under way: the file may show it or not.
    pub(super) fn is_unsettled(self) -> bool {
        self.0 % 2 == 1
    }
}

/// The chats that are known.
pub(super) struct Known {
    /// Odd while a commit is under way.
    moment: AtomicU64,
    /// What the commit under way changes. Whoever holds this sees no moment end.
    under_way: RwLock<Changed>,
    chats: Cache<ChatId, (Chat, ChatNumber)>,
    /// Customers of known chats, so that two chats of one customer share it.
    customers: Cache<PublicId, Arc<Customer>>,
    lists: Lists,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            moment: AtomicU64::new(0),
            under_way: RwLock::default(),
            chats: of_at_most(CHATS),
            customers: of_at_most(CUSTOMERS),
            lists: Lists::default(),
        }
    }
}

impl Known {
    pub(super) fn moment(&self) -> Moment {
        Moment(self.moment.load(Ordering::Acquire))
    }

    /// A chat, if it is known.
    pub(super) fn chat(&self, business: BusinessId, id: ChatId) -> Option<Chat> {
        self.numbered(business, id).map(|(chat, _)| chat)
    }

    /// The number of a chat, if it is known.
    pub(super) fn number(&self, business: BusinessId, id: ChatId) -> Option<ChatNumber> {
        self.numbered(business, id).map(|(_, number)| number)
    }

    /// Both.
    pub(super) fn numbered(&self, business: BusinessId, id: ChatId) -> Option<(Chat, ChatNumber)> {
        self.chats.get(&id).filter(|(chat, _)| chat.business == business)
    }

    /// Keeps a chat that was read in a transaction that began within `moment`, unless that has ended or the chat is just
    /// being changed.
    pub(super) fn keep(&self, moment: Moment, (chat, number): &(Chat, ChatNumber)) {
        let under_way = self.under_way.read();
        if self.moment() != moment || under_way.has(chat) {
            return;
        }
        let mut chat = chat.clone();
        match self.customers.get(&chat.customer.public_id) {
            Some(known) if known == chat.customer => chat.customer = known,
            _ => self
                .customers
                .insert(chat.customer.public_id.clone(), Arc::clone(&chat.customer)),
        }
        self.chats.insert(chat.id, (chat, *number));
    }

    /// The first page of a list, if it is known. It shows the present moment.
    pub(super) fn list(&self, business: BusinessId, kinds: Kinds) -> Option<Arc<[Chat]>> {
        self.lists.get(business, kinds)
    }

    /// Keeps the first page of a list, under the same condition as a chat.
    pub(super) fn keep_list(&self, moment: Moment, business: BusinessId, kinds: Kinds, chats: &Arc<[Chat]>) {
        let under_way = self.under_way.read();
        let changes =
            under_way.businesses.contains(&business) || chats.iter().any(|chat| under_way.has(chat));
        if self.moment() == moment && !changes {
            self.lists.keep(business, kinds, chats);
        }
    }

    /// Forgets what a group changes, which is about to be committed. Ends with what is answered.
    pub(super) fn committing(&self, changed: &mut Changed) -> Committing<'_> {
        let mut under_way = self.under_way.write();
        std::mem::swap(&mut *under_way, changed);
        for chat in &under_way.chats {
            self.chats.remove(chat);
        }
        for business in &under_way.businesses {
            self.lists.forget(*business);
        }
        if !under_way.customers.is_empty() {
            self.chats
                .retain(|_, (chat, _)| !under_way.customers.contains(&chat.customer.public_id));
            for customer in &under_way.customers {
                self.customers.remove(customer);
            }
            self.lists.forget_customers(&under_way.customers);
        }
        self.moment.fetch_add(1, Ordering::AcqRel);
        Committing(self)
    }

    /// Another process has committed, nobody knows what.
    pub(super) fn forget_all(&self) {
        let _nobody_keeps = self.under_way.write();
        self.next_moment();
        self.chats.clear();
        self.customers.clear();
        self.lists.forget_all();
    }

    /// Makes transactions that are held end with their next use.
    pub(super) fn next_moment(&self) {
        self.moment.fetch_add(2, Ordering::AcqRel);
    }
}

fn of_at_most<K: Eq + std::hash::Hash, V: Clone>(most: u64) -> Cache<K, V> {
    Cache::with(
        AT_FIRST,
        most,
        UnitWeighter,
        quick_cache::DefaultHashBuilder::default(),
        DefaultLifecycle::default(),
    )
}

/// A commit is under way until this is dropped, whether it succeeds or not.
pub(super) struct Committing<'a>(&'a Known);

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        let mut under_way = self.0.under_way.write();
        under_way.clear();
        self.0.moment.fetch_add(1, Ordering::AcqRel);
    }
}
