//! Hourly counts of calls: kept by window, replaced by the newer count of the same window.

use futures_util::future::join_all;
use prilavok_domain::Timestamp;
use prilavok_store::{Calls, Claim, Granted, Store, Usage};

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

/// What becomes of one claim.
async fn claim(store: &dyn Store, hour: Timestamp, limit: Option<u32>, calls: Calls) -> Granted {
    let claim = Claim {
        business: shop(),
        operation: "getChat".to_owned(),
        hour,
        limit,
        calls,
    };
    let granted = store.claim_usage(vec![claim]).await.expect("granted");
    assert_eq!(granted.len(), 1);
    granted[0]
}

const fn take(least: u32, most: u32, parts: u32) -> Calls {
    Calls::Take { least, most, parts }
}

#[test]
fn calls_are_taken_in_advance_and_never_more_than_are_left() {
    on_every_store(async |site| {
        let store = &*site.store;
        let (ten, next) = (Some(10), at(HOUR));
        for (number, (hour, limit, calls, granted)) in [
            // hour, limit, what is claimed; what counts, what is taken by then, what may be made.
            (at(0), ten, take(1, 9, 3), (at(0), 3, 3)),
            (at(0), ten, take(4, 9, 3), (at(0), 7, 4)),
            (at(0), ten, take(1, 1, 1), (at(0), 8, 1)),
            (at(0), ten, take(5, 9, 3), (at(0), 10, 2)),
            (at(0), ten, take(5, 9, 3), (at(0), 10, 0)),
            (at(0), ten, Calls::GiveBack(2), (at(0), 8, 0)),
            (at(0), ten, take(1, 9, 1), (at(0), 10, 2)),
            // A lower limit takes nothing back.
            (at(0), Some(4), take(1, 9, 1), (at(0), 10, 0)),
            (at(0), None, take(7, 7, 1), (at(0), 17, 7)),
            // The next hour begins anew, and goes on when a clock steps back into the one before it.
            (next, ten, take(6, 9, 2), (next, 6, 6)),
            (at(0), ten, take(1, 1, 1), (next, 7, 1)),
            // What is given back too late, or too often.
            (at(0), ten, Calls::GiveBack(3), (next, 7, 0)),
            (next, ten, Calls::GiveBack(30), (next, 0, 0)),
            // A window that lies further ahead is dropped.
            (at(-2 * HOUR), ten, take(1, 9, 2), (at(-2 * HOUR), 5, 5)),
        ]
        .into_iter()
        .enumerate()
        {
            let became = claim(store, hour, limit, calls).await;
            let (hour, used, calls) = granted;
            assert_eq!(became, Granted { hour, used, calls }, "claim {number}");
        }
        assert_eq!(
            load(store, at(-2 * HOUR)).await,
            [used(SHOP, "getChat", at(-2 * HOUR), 5)]
        );
    });
}

#[test]
fn claims_made_together_are_answered_in_their_order() {
    on_every_store(async |site| {
        let operations = ["sendMessage", "getChat", "getChats"];
        let claims = operations.iter().zip(1..).map(|(operation, calls)| Claim {
            business: shop(),
            operation: (*operation).to_owned(),
            hour: at(0),
            limit: Some(10),
            calls: take(calls, calls, 1),
        });
        let granted = site.store.claim_usage(claims.collect()).await.expect("granted");
        let calls: Vec<_> = granted.iter().map(|one| one.calls).collect();
        assert_eq!(calls, [1, 2, 3]);
        assert_eq!(site.store.claim_usage(Vec::new()).await.expect("nothing"), []);
    });
}

#[test]
fn claims_made_at_once_are_granted_one_after_the_other() {
    on_every_store(async |site| {
        let store = &*site.store;
        let claims = (0..20).map(|_| claim(store, at(0), Some(50), take(1, 4, 1)));
        let granted = join_all(claims).await;
        assert_eq!(granted.iter().map(|one| one.calls).sum::<u32>(), 50);
        assert!(granted.iter().all(|one| one.used <= 50));
    });
}
