//! Where notifications do not go: the check is made on the address that is connected to.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use prilavok_notify::connector::Addresses;
use prilavok_notify::{Guard, Resolve, Target};

use crate::receiver::Receiver;
use crate::shop::{MINUTE_MS, Shop};

/// A resolver whose answers change from question to question; the last one stays.
struct Rebinding {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: Mutex<usize>,
}

impl Rebinding {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let addresses = |texts: &&[&str]| texts.iter().map(|it| it.parse().expect(it)).collect();
        let mut answers: Vec<Vec<IpAddr>> = answers.iter().map(addresses).collect();
        answers.reverse();
        Arc::new(Self {
            answers: Mutex::new(answers),
            asked: Mutex::new(0),
        })
    }
}

impl Resolve for Rebinding {
    fn resolve(&self, _: &str) -> Addresses {
        *self.asked.lock() += 1;
        let mut answers = self.answers.lock();
        let answer = if answers.len() > 1 {
            answers.pop()
        } else {
            answers.last().cloned()
        };
        Box::pin(async move { answer.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

/// Public addresses and this one network, over plain HTTP, which a guard by itself does not allow.
fn url(receiver: &Receiver) -> String {
    format!("https://crm.example:{}/hook", receiver.address.port())
}

#[tokio::test]
async fn a_name_that_is_bound_anew_to_a_private_address_gains_nothing() {
    for inside in [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "fd00::1",
    ] {
        let (shop, receiver) = (Shop::open().await, Receiver::open().await);
        // A public address at first, which is what a check ahead of the connection would see.
        let resolver = Rebinding::new(&[&["198.41.0.4"], &[inside]]);
        let guard = Guard::public_and(Vec::new());
        let address = resolver.resolve("crm.example").await.expect("an address")[0];
        assert_eq!(guard.check(address), Ok(()));
        let subscription = shop.subscribe(1, "crm", &url(&receiver)).await;
        let _running = shop.notify_with(guard, resolver.clone());
        shop.chat(1, 1).await;
        let log = shop.wait_for_log(&subscription, 1).await;
        let error = log[0].attempt.error.as_deref().unwrap_or_default();
        assert!(
            error.starts_with(&format!("crm.example leads to {inside}, a")) && error.contains("not notified"),
            "{inside}: {error}"
        );
        shop.clock.advance(MINUTE_MS);
        shop.wait_for_log(&subscription, 2).await;
        assert_eq!(*resolver.asked.lock(), 3, "once for each connection");
        assert_eq!(receiver.received().len(), 0, "{inside}");
    }
}

#[tokio::test]
async fn of_several_addresses_only_those_allowed_are_tried() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let allowed = vec!["127.0.0.0/30".parse().expect("a network")];
    let resolver = Rebinding::new(&[&["10.0.0.1", "127.0.0.1"]]);
    let subscription = shop.subscribe(1, "crm", &url(&receiver)).await;
    let _running = shop.notify_with(Guard::public_and(allowed), resolver);
    shop.chat(1, 1).await;
    let log = shop.wait_for_log(&subscription, 1).await;
    let error = log[0].attempt.error.as_deref().unwrap_or_default();
    // The receiver speaks no TLS: it was reached, and that is all that matters here.
    assert!(!error.contains("leads to"), "{error}");
    assert!(
        error.to_lowercase().contains("tls") || error.contains("corrupt"),
        "{error}"
    );
}

#[tokio::test]
async fn a_private_address_that_was_allowed_once_is_checked_at_each_delivery() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
    assert!(Target::parse(&receiver.url(), &Guard::open()).is_ok());
    let resolver = Rebinding::new(&[&["127.0.0.1"]]);
    let _running = shop.notify_with(Guard::public_and(Vec::new()), resolver);
    shop.chat(1, 1).await;
    let log = shop.wait_for_log(&subscription, 1).await;
    let error = log[0].attempt.error.as_deref().unwrap_or_default();
    assert!(error.starts_with("the URL must begin with https://"), "{error}");
    assert_eq!(receiver.received().len(), 0);
}
