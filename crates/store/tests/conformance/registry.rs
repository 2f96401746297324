//! What the operator registers: put, read, listed, and refused as a whole.

use prilavok_domain::{BusinessState, CampaignState, Customer, Order, Placement};
use prilavok_store::{Conflict, Entity, Put, Refusal, Registration, Store};

use crate::places::{on_every_populated_store, on_every_store};
use crate::population::*;

async fn put(store: &dyn Store, item: Registration) -> Put {
    let puts = store.register(vec![item]).await.expect("a put");
    assert_eq!(puts.len(), 1);
    puts[0]
}

#[test]
fn a_put_says_whether_it_was_new_different_or_the_same() {
    on_every_populated_store(async |store| {
        let renamed = Registration::Business(prilavok_domain::Business {
            name: name("New name"),
            ..a_business(SHOP)
        });
        let moved = Registration::Campaign(a_campaign(SHOP, 10, Placement::Express));
        let no_test = Registration::Order(an_order(SHOP, 102, 10, "anna"));
        let of_another = Registration::Return(a_return(SHOP, 200, 101));
        let called = Registration::Customer(a_customer("anna", "Anna"));
        for (new, changed) in [
            (Registration::Business(a_business(7)), renamed),
            (
                Registration::Campaign(a_campaign(SHOP, 17, Placement::Fby)),
                moved,
            ),
            (Registration::Customer(a_customer("vera", "Вера")), called),
            (Registration::Order(an_order(SHOP, 107, 10, "anna")), no_test),
            (Registration::Return(a_return(SHOP, 207, 100)), of_another),
        ] {
            assert_eq!(put(store, new.clone()).await, Put::Created, "{new:?}");
            assert_eq!(put(store, new.clone()).await, Put::Unchanged, "{new:?}");
            assert_eq!(put(store, changed.clone()).await, Put::Changed, "{changed:?}");
            assert_eq!(put(store, changed.clone()).await, Put::Unchanged, "{changed:?}");
        }
    });
}

#[test]
fn what_was_put_is_read_back_in_every_shape() {
    on_every_populated_store(async |store| {
        for state in BusinessState::ALL.iter().copied() {
            let wanted = prilavok_domain::Business {
                state,
                ..a_business(3)
            };
            put(store, Registration::Business(wanted.clone())).await;
            assert_eq!(store.business(id(3)).await.expect("a read"), Some(wanted));
        }
        for placement in Placement::ALL.iter().copied() {
            for state in CampaignState::ALL.iter().copied() {
                let wanted = prilavok_domain::Campaign {
                    state,
                    ..a_campaign(SHOP, 12, placement)
                };
                put(store, Registration::Campaign(wanted.clone())).await;
                let found = store.campaign(shop(), id(12)).await.expect("a read");
                assert_eq!(found, Some(wanted));
            }
        }
        let longest: Customer = a_customer(&"я".repeat(100), &"名".repeat(256));
        put(store, Registration::Customer(longest.clone())).await;
        let found = store.customer(&longest.public_id).await.expect("a read");
        assert_eq!(found, Some(longest));
        let wanted = Order {
            test: true,
            ..an_order(SHOP, 102, 10, "anna")
        };
        assert_eq!(store.order(shop(), id(102)).await.expect("a read"), Some(wanted));
        let wanted = a_return(SHOP, 202, 103);
        let found = store.returned(shop(), id(202)).await.expect("a read");
        assert_eq!(found, Some(wanted));
    });
}

#[test]
fn a_refused_item_is_named_and_undoes_the_whole_list() {
    on_every_populated_store(async |store| {
        let list = vec![
            Registration::Customer(a_customer("vera", "Вера")),
            Registration::Business(prilavok_domain::Business {
                state: BusinessState::Disabled,
                ..a_business(SHOP)
            }),
            Registration::Order(an_order(SHOP, 107, 99, "vera")),
            Registration::Business(a_business(7)),
        ];
        let refused = refusal(store.register(list).await);
        let expected = Refusal::AtItem {
            index: 2,
            refusal: Box::new(Refusal::NotFound(Entity::Campaign(id(99)))),
        };
        assert_eq!(refused, expected);
        assert_eq!(store.customer(&person("vera")).await.expect("a read"), None);
        assert_eq!(store.business(id(7)).await.expect("a read"), None);
        let shop = store.business(shop()).await.expect("a read");
        assert_eq!(shop, Some(a_business(SHOP)), "the change was undone");
    });
}

#[test]
fn what_an_item_names_must_exist_in_its_own_business() {
    on_every_populated_store(async |store| {
        for (item, missing) in [
            (
                Registration::Campaign(a_campaign(9, 10, Placement::Fbs)),
                Entity::Business(id(9)),
            ),
            (
                Registration::Order(an_order(9, 100, 10, "anna")),
                Entity::Business(id(9)),
            ),
            // Campaign 20 is the other business's.
            (
                Registration::Order(an_order(SHOP, 107, 20, "anna")),
                Entity::Campaign(id(20)),
            ),
            (
                Registration::Order(an_order(SHOP, 107, 10, "nobody")),
                Entity::Customer(person("nobody")),
            ),
            (
                Registration::Return(a_return(9, 200, 100)),
                Entity::Business(id(9)),
            ),
            // Order 101 is business 1's.
            (
                Registration::Return(a_return(OTHER, 207, 101)),
                Entity::Order(id(101)),
            ),
        ] {
            let refused = refusal(store.register(vec![item.clone()]).await);
            let expected = Refusal::AtItem {
                index: 0,
                refusal: Box::new(Refusal::NotFound(missing)),
            };
            assert_eq!(refused, expected, "{item:?}");
        }
        assert_eq!(store.order(shop(), id(107)).await.expect("a read"), None);
    });
}

#[test]
fn an_order_with_chats_keeps_its_campaign_and_customer() {
    on_every_populated_store(async |store| {
        // The chat about the return names the order as well.
        new_chat(store, returned(200)).await;
        for moved in [an_order(SHOP, 100, 11, "anna"), an_order(SHOP, 100, 10, "boris")] {
            let refused = refusal(store.register(vec![Registration::Order(moved)]).await);
            let Refusal::AtItem { refusal, .. } = refused else {
                panic!("{refused:?}")
            };
            assert_eq!(*refusal, Refusal::Conflict(Conflict::OrderHasChats));
        }
        let test = Order {
            test: true,
            ..an_order(SHOP, 100, 10, "anna")
        };
        assert_eq!(put(store, Registration::Order(test)).await, Put::Changed);
        // The other business's order of the same number has no chat.
        let unbound = Registration::Order(an_order(OTHER, 100, 20, "anna"));
        assert_eq!(put(store, unbound).await, Put::Changed);
    });
}

#[test]
fn a_return_with_chats_keeps_its_order() {
    on_every_populated_store(async |store| {
        new_chat(store, returned(200)).await;
        let moved = a_return(SHOP, 200, 101);
        let refused = refusal(store.register(vec![Registration::Return(moved)]).await);
        let expected = Refusal::AtItem {
            index: 0,
            refusal: Box::new(Refusal::Conflict(Conflict::ReturnHasChats)),
        };
        assert_eq!(refused, expected);
        let unbound = Registration::Return(a_return(SHOP, 202, 101));
        assert_eq!(put(store, unbound).await, Put::Changed);
    });
}

#[test]
fn the_same_number_in_two_businesses_is_two_things() {
    on_every_populated_store(async |store| {
        let read = async |business| store.order(business, id(100)).await.expect("a read");
        assert_eq!(read(shop()).await, Some(an_order(SHOP, 100, 10, "anna")));
        assert_eq!(read(other()).await, Some(an_order(OTHER, 100, 20, "boris")));
        assert_eq!(store.campaign(other(), id(10)).await.expect("a read"), None);
        assert_eq!(store.returned(other(), id(202)).await.expect("a read"), None);
    });
}

fn numbers<T>(page: prilavok_store::Result<Vec<T>>, number: impl Fn(&T) -> i64) -> Vec<i64> {
    page.expect("a page").iter().map(number).collect()
}

#[test]
fn lists_are_in_order_and_go_on_after_the_last_one() {
    on_every_populated_store(async |store| {
        let businesses = async |after, limit| {
            let page = store.businesses(after, limit).await;
            numbers(page, |it| it.id.get())
        };
        assert_eq!(businesses(None, 1).await, [1]);
        assert_eq!(businesses(Some(id(1)), 5).await, [2]);
        let campaigns = async |after, limit| {
            let page = store.campaigns(shop(), after, limit).await;
            numbers(page, |it| it.id.get())
        };
        assert_eq!(campaigns(None, 1).await, [10]);
        assert_eq!(campaigns(Some(id(10)), 5).await, [11]);
        let orders = async |after, limit| {
            let page = store.orders(shop(), after, limit).await;
            numbers(page, |it| it.id.get())
        };
        assert_eq!(orders(None, 3).await, [100, 101, 102]);
        assert_eq!(orders(Some(id(102)), 5).await, [103]);
        let returns = async |after, limit| {
            let page = store.returns(shop(), after, limit).await;
            numbers(page, |it| it.id.get())
        };
        assert_eq!(returns(None, 2).await, [200, 201]);
        assert_eq!(returns(Some(id(201)), 5).await, [202]);
    });
}

#[test]
fn customers_are_listed_bytewise() {
    on_every_store(async |site| {
        let store = &*site.store;
        for public_id in ["я", "a", "Z", "a1", "Я", "é"] {
            put(store, Registration::Customer(a_customer(public_id, "name"))).await;
        }
        let expected = ["Z", "a", "a1", "é", "Я", "я"];
        let all = store.customers(None, 10).await.expect("a page");
        let ids: Vec<_> = all.iter().map(|it| it.public_id.as_str()).collect();
        assert_eq!(ids, expected);
        for (place, last) in expected.iter().enumerate() {
            let rest = store.customers(Some(&person(last)), 10).await.expect("a page");
            assert_eq!(rest, all[place + 1..], "after {last}");
        }
    });
}
