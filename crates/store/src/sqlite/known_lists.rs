//! First pages of lists of chats in memory: what whoever waits for news asks for again and again. [`Known`](super::known::Known)
//! keeps and forgets them by the rules that it has for chats. They are kept whole: twenty chats that lie one after the other
//! are there in a fraction of the time that it takes to find each of them.

use std::collections::HashSet;
use std::sync::Arc;

use prilavok_domain::{BusinessId, Chat, PublicId};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Weighter};

use crate::ChatFilter;

/// Chats of a first page: as many as a page of the Partner API has, and one that tells whether there are more.
pub(super) const FIRST_PAGE: usize = 21;

/// Chats that are kept in lists, at 100 bytes each.
const CHATS: u64 = 420_000;
/// Room for so many businesses is made when the first are kept.
const AT_FIRST: usize = 1_000;
/// Lists of one business that are kept, each by another filter.
const OF_BUSINESS: usize = 2;

/// Which chats a list shows that is not about certain orders or contexts. In each field a bit for every value that passes; none:
/// all do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds {
    types: u32,
    statuses: u32,
    context_types: u32,
}

impl Kinds {
    /// What a filter lets pass; `None` where that depends on orders or contexts.
    pub(super) fn of(filter: &ChatFilter) -> Option<Self> {
        let ChatFilter {
            orders,
            contexts,
            context_types,
            types,
            statuses,
        } = filter;
        let all_subjects = orders.is_empty() && contexts.is_empty();
        all_subjects.then(|| Self {
            types: bits(types.iter().map(|one| *one as u32)),
            statuses: bits(statuses.iter().map(|one| *one as u32)),
            context_types: bits(context_types.iter().map(|one| *one as u32)),
        })
    }
}

fn bits(wanted: impl Iterator<Item = u32>) -> u32 {
    wanted.fold(0, |bits, one| bits | 1 << one)
}

/// The lists of a business that are known.
type OfBusiness = Arc<[(Kinds, Arc<[Chat]>)]>;

#[derive(Clone)]
struct ByChats;

impl Weighter<BusinessId, OfBusiness> for ByChats {
    fn weight(&self, _: &BusinessId, lists: &OfBusiness) -> u64 {
        // An empty list takes room as well.
        lists.iter().map(|(_, chats)| chats.len() as u64 + 1).sum()
    }
}

/// The lists that are known.
pub(super) struct Lists(Cache<BusinessId, OfBusiness, ByChats>);

impl Default for Lists {
    fn default() -> Self {
        Self(Cache::with(
            AT_FIRST,
            CHATS,
            ByChats,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        ))
    }
}

impl Lists {
    pub(super) fn get(&self, business: BusinessId, kinds: Kinds) -> Option<Arc<[Chat]>> {
        let lists = self.0.get(&business)?;
        let (_, chats) = lists.iter().find(|(of, _)| *of == kinds)?;
        Some(Arc::clone(chats))
    }

    /// Keeps a list instead of the oldest of its business, if there are as many as are kept.
    pub(super) fn keep(&self, business: BusinessId, kinds: Kinds, chats: &Arc<[Chat]>) {
        let known = self.0.get(&business);
        let known = known.as_deref().unwrap_or_default();
        let others = known.iter().filter(|(of, _)| *of != kinds).take(OF_BUSINESS - 1);
        let lists = std::iter::once((kinds, Arc::clone(chats))).chain(others.cloned());
        self.0.insert(business, lists.collect());
    }

    /// A chat of the business changes, or is a new one.
    pub(super) fn forget(&self, business: BusinessId) {
        self.0.remove(&business);
    }

    /// Customers change.
    pub(super) fn forget_customers(&self, customers: &HashSet<PublicId>) {
        let has = |chat: &Chat| customers.contains(&chat.customer.public_id);
        self.0
            .retain(|_, lists| !lists.iter().any(|(_, chats)| chats.iter().any(has)));
    }

    pub(super) fn forget_all(&self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use prilavok_domain::{ChatId, ChatStatus, ChatType, Context, Customer, Name, Timestamp};

    use super::*;

    fn kinds(types: &[ChatType], statuses: &[ChatStatus]) -> Kinds {
        Kinds::of(&ChatFilter {
            types: types.to_vec(),
            statuses: statuses.to_vec(),
            ..ChatFilter::default()
        })
        .expect("no subjects")
    }

    /// A chat of a customer, by its number.
    fn chat(id: i64, customer: &str) -> Chat {
        let at = Timestamp::from_millis(id).expect("in range");
        Chat {
            business: BusinessId::new(1).expect("an id"),
            id: ChatId::new(id).expect("an id"),
            context: Context::Direct,
            customer: Arc::new(Customer {
                public_id: PublicId::new(customer).expect("an id"),
                name: Name::new("Anna").expect("a name"),
                erased_at: None,
            }),
            kind: ChatType::Chat,
            status: ChatStatus::ALL[0],
            created_at: at,
            updated_at: at,
            last_message: None,
        }
    }

    #[test]
    fn a_list_is_known_by_all_that_its_filter_lets_pass() {
        let lists = Lists::default();
        let business = BusinessId::new(1).expect("an id");
        let all: Vec<Kinds> = [&[][..], &[ChatType::Chat], &[ChatType::Arbitrage]]
            .iter()
            .flat_map(|types| {
                [&[][..], &ChatStatus::ALL[..1], &ChatStatus::ALL[..2]].map(|of| kinds(types, of))
            })
            .collect();
        for (id, kinds) in (1..).zip(&all) {
            assert_eq!(lists.get(business, *kinds), None);
            lists.keep(business, *kinds, &[chat(id, "anna")].into());
        }
        for (id, kinds) in (1..).zip(&all) {
            let kept = (id > 7).then(|| [chat(id, "anna")].into());
            assert_eq!(
                lists.get(business, *kinds),
                kept,
                "the last two of nine are known: {id}"
            );
        }
        lists.keep(business, all[4], &[].into());
        assert_eq!(lists.get(business, all[4]), Some([].into()));
        lists.forget(business);
        assert!(all.iter().all(|kinds| lists.get(business, *kinds).is_none()));
    }

    #[test]
    fn lists_with_a_customer_who_changes_are_forgotten() {
        let lists = Lists::default();
        let [one, other] = [1, 2].map(|id| BusinessId::new(id).expect("an id"));
        let all = kinds(&[], &[]);
        lists.keep(one, all, &[chat(1, "anna"), chat(2, "boris")].into());
        lists.keep(other, all, &[chat(3, "anna")].into());
        lists.forget_customers(&[PublicId::new("boris").expect("an id")].into());
        assert_eq!(lists.get(one, all), None);
        assert!(lists.get(other, all).is_some());
    }

    #[test]
    fn what_is_about_certain_things_is_not_known() {
        let of_order = ChatFilter {
            orders: vec![1],
            ..ChatFilter::default()
        };
        assert_eq!(Kinds::of(&of_order), None);
    }
}
