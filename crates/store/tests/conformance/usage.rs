//! Hourly counts of calls: kept by window, replaced by the newer count of the same window.

use prilavok_domain::Timestamp;
use prilavok_store::{Store, Usage};

use crate::places::on_every_store;
use crate::population::*;

fn used(business: i64, operation: &str, hour: Timestamp, used: u64) -> Usage {
    Usage {
        business: id(business),
        operation: operation.to_owned(),
        hour,
        used,
    }
}

async fn load(store: &dyn Store, hour: Timestamp) -> Vec<Usage> {
    let mut usage = store.usage(hour).await.expect("counts");
    usage.sort_by_key(|it| (it.business, it.operation.clone()));
    usage
}

#[test]
fn counts_are_kept_for_each_business_and_operation() {
    on_every_store(async |site| {
        let store = &*site.store;
        let all = vec![
            used(SHOP, "getChats", at(0), 3),
            used(SHOP, "sendMessage", at(0), u64::from(u32::MAX) + 1),
            used(OTHER, "getChats", at(0), 0),
        ];
        store.save_usage(all.clone(), Some(at(0))).await.expect("kept");
        assert_eq!(load(store, at(0)).await, all);
        assert_eq!(load(store, at(HOUR)).await, []);
        let newer = used(SHOP, "getChats", at(0), 5);
        store
            .save_usage(vec![newer.clone()], Some(at(0)))
            .await
            .expect("kept");
        assert_eq!(load(store, at(0)).await, [newer, all[1].clone(), all[2].clone()]);
    });
}

#[test]
fn old_windows_are_forgotten_and_the_new_one_takes_their_place() {
    on_every_store(async |site| {
        let store = &*site.store;
        let first = vec![used(SHOP, "getChats", at(0), 3), used(SHOP, "getChat", at(0), 4)];
        store.save_usage(first, Some(at(0))).await.expect("kept");
        let second = vec![used(SHOP, "getChats", at(HOUR), 1)];
        store
            .save_usage(second.clone(), Some(at(HOUR)))
            .await
            .expect("kept");
        assert_eq!(load(store, at(HOUR)).await, second);
        assert_eq!(load(store, at(0)).await, second, "the clock stepped back");
        assert_eq!(load(store, at(2 * HOUR)).await, []);
    });
}
