//! First pages of lists of chats in memory: what whoever waits for news asks for again and again. [`Known`](super::known::Known)
//! keeps and forgets them by the rules that it has for chats.

use std::sync::Arc;

use prilavok_domain::BusinessId;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Weighter};

use crate::ChatFilter;

/// The place of a chat in a list: `updated_at` in milliseconds, and the id.
pub(super) type Place = (i64, i64);

/// Places of a first page: as many as a page of the Partner API has chats, and one that tells whether there are more.
pub(super) const FIRST_PAGE: usize = 21;

/// Lists that are kept, at 450 bytes each at the most.
const LISTS: u64 = 50_000;
/// Room for so many is made when the first are kept.
const AT_FIRST: usize = 1_000;
/// Lists of one business that are kept, each by another filter.
const OF_BUSINESS: usize = 8;

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
type OfBusiness = Arc<[(Kinds, Arc<[Place]>)]>;

#[derive(Clone)]
struct ByNumber;

impl Weighter<BusinessId, OfBusiness> for ByNumber {
    fn weight(&self, _: &BusinessId, lists: &OfBusiness) -> u64 {
        lists.len() as u64
    }
}

/// The lists that are known.
pub(super) struct Lists(Cache<BusinessId, OfBusiness, ByNumber>);

impl Default for Lists {
    fn default() -> Self {
        Self(Cache::with(
            AT_FIRST,
            LISTS,
            ByNumber,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        ))
    }
}

impl Lists {
    pub(super) fn get(&self, business: BusinessId, kinds: Kinds) -> Option<Arc<[Place]>> {
        let lists = self.0.get(&business)?;
        let (_, places) = lists.iter().find(|(of, _)| *of == kinds)?;
        Some(Arc::clone(places))
    }

    /// Keeps a list instead of the oldest of its business, if there are as many as are kept.
    pub(super) fn keep(&self, business: BusinessId, kinds: Kinds, places: &Arc<[Place]>) {
        let known = self.0.get(&business);
        let known = known.as_deref().unwrap_or_default();
        let others = known.iter().filter(|(of, _)| *of != kinds).take(OF_BUSINESS - 1);
        let lists = std::iter::once((kinds, Arc::clone(places))).chain(others.cloned());
        self.0.insert(business, lists.collect());
    }

    /// A chat of the business changes, or is a new one.
    pub(super) fn forget(&self, business: BusinessId) {
        self.0.remove(&business);
    }

    pub(super) fn forget_all(&self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use prilavok_domain::{ChatStatus, ChatType};

    use super::*;

    fn kinds(types: &[ChatType], statuses: &[ChatStatus]) -> Kinds {
        Kinds::of(&ChatFilter {
            types: types.to_vec(),
            statuses: statuses.to_vec(),
            ..ChatFilter::default()
        })
        .expect("no subjects")
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
        for (number, kinds) in (0..).zip(&all) {
            assert_eq!(lists.get(business, *kinds), None);
            lists.keep(business, *kinds, &[(number, 1)].into());
        }
        for (number, kinds) in (0..).zip(&all) {
            let kept = (number > 0).then(|| [(number, 1)].into());
            assert_eq!(
                lists.get(business, *kinds),
                kept,
                "only the oldest of nine is gone: {number}"
            );
        }
        lists.keep(business, all[4], &[].into());
        assert_eq!(lists.get(business, all[4]), Some([].into()));
        lists.forget(business);
        assert!(all.iter().all(|kinds| lists.get(business, *kinds).is_none()));
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
