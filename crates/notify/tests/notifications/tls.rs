//! Receivers behind TLS with a certificate that nobody vouches for.

use axum::serve::Listener;
use prilavok_domain::event::Outcome;

use crate::receiver::Receiver;
use crate::shop::Shop;

#[path = "../../../../tests/tls_listener.rs"]
mod tls_listener;
use tls_listener::TlsListener;

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_told() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let listener = TlsListener::bind(made.cert.der().clone(), made.signing_key.serialize_der()).await;
    let address = listener.local_addr().expect("an address");
    let receiver = Receiver::at(address);
    let router = receiver.router();
    tokio::spawn(async move { axum::serve(listener, router).await });

    let shop = Shop::open().await;
    let subscription = shop.subscribe(1, "crm", &format!("https://{address}/")).await;
    let _running = shop.notify();
    shop.chat(1, 1).await;
    let log = shop.wait_for_log(&subscription, 1).await;
    assert_eq!(log[0].outcome, Outcome::Failed);
    let error = log[0].attempt.error.as_deref().unwrap_or_default();
    assert!(error.contains("invalid peer certificate"), "{error}");
    assert_eq!(receiver.received().len(), 0);
}
