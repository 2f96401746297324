//! Who is there when a case begins, and the few words in which cases speak.
//!
//! Business 1 has campaigns 10 (FBS) and 11 (DBS); orders 100 (Anna), 101 (Boris), 102 (Anna, a
//! test) and 103 (Anna, DBS); returns 200 of order 100, 201 of the test order and 202 of the DBS order.
//! Business 2 has campaign 20, and an order and a return with the numbers of business 1's.

use std::convert::Infallible;
use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use prilavok_domain::rules::Initiator;
use prilavok_domain::{
    Business, BusinessId, BusinessState, Campaign, CampaignState, Chat, ChatId, Customer, Event, EventTypes,
    FileName, Message, MessageText, Name, Order, Placement, PublicId, Return, Sender, Timestamp,
};
use prilavok_store::files::FileStore;
use prilavok_store::{
    Attempt, ChatChange, ChatFilter, Delivery, NewMessage, NewSubscription, Refusal, Registration, Settled,
    StartChat, Started, Store, StoreError, StoredFile, Subject, Subscription, SubscriptionName, Switch, Try,
};

/// The one business that most cases are about, and the other.
pub(crate) const SHOP: i64 = 1;
pub(crate) const OTHER: i64 = 2;

pub(crate) fn id<I: TryFrom<i64, Error: Debug>>(number: i64) -> I {
    I::try_from(number).expect("an id")
}

pub(crate) fn shop() -> BusinessId {
    id(SHOP)
}

pub(crate) fn other() -> BusinessId {
    id(OTHER)
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

pub(crate) fn person(text: &str) -> PublicId {
    PublicId::new(text).expect("an id")
}

/// So many milliseconds after the instant at which every case begins.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis).expect("in range")
}

pub(crate) const HOUR: i64 = 3_600_000;

pub(crate) fn a_business(number: i64) -> Business {
    Business {
        id: id(number),
        name: name("Лавка"),
        state: BusinessState::Active,
    }
}

pub(crate) fn a_campaign(business: i64, number: i64, placement: Placement) -> Campaign {
    Campaign {
        business: id(business),
        id: id(number),
        domain: name("shop.example"),
        placement,
        state: CampaignState::Available,
    }
}

pub(crate) fn a_customer(public_id: &str, called: &str) -> Customer {
    Customer {
        public_id: person(public_id),
        name: name(called),
        erased_at: None,
    }
}

pub(crate) fn an_order(business: i64, number: i64, campaign: i64, customer: &str) -> Order {
    Order {
        business: id(business),
        id: id(number),
        campaign: id(campaign),
        customer: person(customer),
        test: false,
    }
}

pub(crate) fn a_return(business: i64, number: i64, order: i64) -> Return {
    Return {
        business: id(business),
        id: id(number),
        order: id(order),
    }
}

pub(crate) async fn populate(store: &dyn Store) {
    let mut items = vec![
        Registration::Business(a_business(SHOP)),
        Registration::Business(a_business(OTHER)),
        Registration::Campaign(a_campaign(SHOP, 10, Placement::Fbs)),
        Registration::Campaign(a_campaign(SHOP, 11, Placement::Dbs)),
        Registration::Campaign(a_campaign(OTHER, 20, Placement::Fbs)),
        Registration::Customer(a_customer("anna", "Анна")),
        Registration::Customer(a_customer("boris", "Boris")),
        Registration::Order(Order {
            test: true,
            ..an_order(SHOP, 102, 10, "anna")
        }),
    ];
    for (business, number, campaign, customer) in [
        (SHOP, 100, 10, "anna"),
        (SHOP, 101, 10, "boris"),
        (SHOP, 103, 11, "anna"),
        (OTHER, 100, 20, "boris"),
    ] {
        items.push(Registration::Order(an_order(
            business, number, campaign, customer,
        )));
    }
    for (business, number, order) in [
        (SHOP, 200, 100),
        (SHOP, 201, 102),
        (SHOP, 202, 103),
        (OTHER, 200, 100),
    ] {
        items.push(Registration::Return(a_return(business, number, order)));
    }
    store.register(items).await.expect("a population");
}

pub(crate) fn order(number: i64) -> StartChat {
    by_customer(Subject::Order(id(number)), None)
}

pub(crate) fn returned(number: i64) -> StartChat {
    by_customer(Subject::Return(id(number)), None)
}

pub(crate) fn direct(customer: &str) -> StartChat {
    by_customer(Subject::Direct, Some(customer))
}

fn by_customer(subject: Subject, customer: Option<&str>) -> StartChat {
    StartChat {
        initiator: Initiator::Customer,
        subject,
        customer: customer.map(person),
    }
}

pub(crate) fn says(sender: Sender, text: &str) -> NewMessage {
    NewMessage {
        sender,
        text: Some(MessageText::new(text).expect("a text")),
        files: Vec::new(),
        wait_for: None,
    }
}

pub(crate) fn customer_says(text: &str) -> NewMessage {
    says(Sender::Customer, text)
}

/// Starts a chat, or finds it.
pub(crate) async fn start(
    store: &dyn Store,
    business: BusinessId,
    what: StartChat,
    now: Timestamp,
) -> Started {
    let started = store.start_chat(business, what, None, now).await;
    started.expect("a chat").value
}

/// A new chat of business 1 at the beginning of time.
pub(crate) async fn new_chat(store: &dyn Store, what: StartChat) -> Chat {
    let started = start(store, shop(), what, at(0)).await;
    assert!(started.created, "it was there already");
    started.chat
}

pub(crate) async fn write(store: &dyn Store, chat: ChatId, new: NewMessage, now: Timestamp) -> Message {
    let written = store.append_message(shop(), chat, new, None, now).await;
    written.expect("a message").value
}

pub(crate) async fn change(store: &dyn Store, chat: ChatId, what: ChatChange) -> Chat {
    let changed = store.change_chat(shop(), chat, what, None, at(0)).await;
    changed.expect("a changed chat").value
}

pub(crate) async fn arbitration(store: &dyn Store, beside: ChatId) -> Chat {
    let started = store.start_arbitration(shop(), beside, None, at(0)).await;
    started.expect("an arbitration").value
}

pub(crate) async fn read_chat(store: &dyn Store, chat: ChatId) -> Chat {
    let found = store.chat(shop(), chat).await.expect("a read");
    found.expect("the chat")
}

/// Every message of a chat of business 1.
pub(crate) async fn all_messages(store: &dyn Store, chat: ChatId) -> Vec<Message> {
    let page = store.messages(shop(), chat, Default::default(), 10_000).await;
    let page = page.expect("a page");
    assert!(!page.more);
    page.items
}

/// Every chat of a business that passes the filter, in one page.
pub(crate) async fn all_chats(store: &dyn Store, business: BusinessId, filter: &ChatFilter) -> Vec<Chat> {
    let page = store.chats(business, filter, None, 10_000).await.expect("a page");
    assert!(!page.more);
    page.items
}

/// Why the store refused.
#[track_caller]
pub(crate) fn refusal<T: Debug>(result: prilavok_store::Result<T>) -> Refusal {
    match result {
        Err(StoreError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// The events of all businesses. Of a store with many writers an event is among them a moment after it is among its
/// business's own.
pub(crate) async fn all_events(store: &dyn Store) -> Vec<Event> {
    let mut newest = 0;
    for business in [shop(), other()] {
        newest = newest.max(store.newest_event(Some(business)).await.expect("a number"));
    }
    let waiting = async {
        while store.newest_event(None).await.expect("a number") < newest {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .expect("all events within ten seconds");
    store.events(None, 0, 1_000).await.expect("events")
}

/// A file that is there, and no message names yet.
pub(crate) async fn put_file(files: &FileStore, content: &'static [u8]) -> StoredFile {
    let content = futures_util::stream::iter([Ok::<_, Infallible>(Bytes::from_static(content))]);
    let upload = files.put(shop(), at(0), content, 100).await.expect("an upload");
    StoredFile {
        object: upload.object,
        name: FileName::from_client("a.txt"),
        size: upload.size,
        media_type: upload.media_type,
    }
}

/// A subscription of business 1 to everything.
pub(crate) fn a_subscription(called: &str) -> NewSubscription {
    NewSubscription {
        business: shop(),
        name: SubscriptionName::new(called).expect("a name"),
        url: format!("https://{called}.example/hook"),
        types: EventTypes::ALL,
    }
}

/// One that is enabled.
pub(crate) async fn subscribed(store: &dyn Store, new: NewSubscription) -> Subscription {
    let created = store.create_subscription(new, None, at(0)).await;
    let it = created.expect("a subscription").value;
    let switched = store.switch_subscription(it.business, it.id, Switch::On).await;
    switched.expect("an enabled subscription")
}

pub(crate) fn attempt(now: Timestamp) -> Attempt {
    Attempt {
        at: now,
        duration_ms: 7,
        status: Some(200),
        error: None,
        answer: "{}".to_owned(),
    }
}

pub(crate) fn tried(delivery: Delivery, now: Timestamp, settled: Settled) -> Try {
    Try {
        delivery,
        attempt: attempt(now),
        settled,
    }
}
