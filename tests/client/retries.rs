//! What is tried again, and what is not.

use std::time::Duration;

use futures_util::future::join_all;
use prilavok_client::{ClientBuilder, Error, IdempotencyKey, NewFile, RetryPolicy, Subject};

use crate::between::{Between, Fault};
use crate::{PATIENCE, Sandbox, id, texts};

const QUICK: RetryPolicy = RetryPolicy {
    attempts: 3,
    first_pause: Duration::from_millis(5),
    longest_pause: Duration::from_millis(20),
};
const BUSY: Fault = Fault::Answered(503, "busy");
const LOCKED: Fault = Fault::Answered(
    423,
    r#"{"status":"ERROR","errors":[{"code":"LOCKED","message":"x"}]}"#,
);

fn quick(client: ClientBuilder) -> ClientBuilder {
    client.retry(QUICK).timeout(PATIENCE)
}

#[tokio::test]
async fn reads_are_tried_again() {
    let sandbox = Sandbox::start().await;
    for (faults, calls) in [
        (&[BUSY][..], 2),
        (&[Fault::AnswerLost], 2),
        (&[Fault::Answered(420, "")], 2),
        (&[Fault::Answered(429, ""), LOCKED], 3),
    ] {
        let between = Between::start(&sandbox, faults).await;
        let shop = quick(between.client(&sandbox))
            .build()
            .expect("a client")
            .business(id(1));
        shop.chat(id(1)).await.expect("a chat");
        assert_eq!(between.calls(), calls, "{faults:?}");
    }
    let between = Between::start(&sandbox, &[BUSY; 5]).await;
    let shop = quick(between.client(&sandbox))
        .build()
        .expect("a client")
        .business(id(1));
    let error = shop.chat(id(1)).await.expect_err("three times");
    assert_eq!((error.status(), between.calls()), (Some(503), 3));
    let between = Between::start(&sandbox, &[Fault::Answered(404, "")]).await;
    let shop = quick(between.client(&sandbox))
        .build()
        .expect("a client")
        .business(id(1));
    let error = shop.chat(id(1)).await.expect_err("not there");
    assert_eq!((error.status(), between.calls()), (Some(404), 1));
}

#[tokio::test]
async fn a_send_that_may_have_been_done_is_not_tried_again() {
    let sandbox = Sandbox::start().await;
    let before = texts(&sandbox.shop(), 1).await.len();
    for (fault, made) in [(Fault::AnswerLost, 1), (BUSY, 1)] {
        let between = Between::start(&sandbox, &[fault]).await;
        let shop = quick(between.client(&sandbox))
            .build()
            .expect("a client")
            .business(id(1));
        let error = shop.send_message(id(1), "Один раз").await.expect_err("no answer");
        assert!(error.may_have_been_done(), "{error}");
        // A key alone is not enough: it is not known that the server takes it.
        assert_eq!(
            (between.calls(), texts(&sandbox.shop(), 1).await.len()),
            (1, before + made)
        );
    }
    let between = Between::start(&sandbox, &[BUSY]).await;
    let shop = quick(between.client(&sandbox))
        .build()
        .expect("a client")
        .business(id(1));
    let key = IdempotencyKey::random();
    shop.send_message_once(id(1), "Один раз", &key)
        .await
        .expect_err("busy");
    assert_eq!(between.calls(), 1);
}

#[tokio::test]
async fn a_send_that_was_surely_not_done_is_tried_again() {
    let sandbox = Sandbox::start().await;
    let before = texts(&sandbox.shop(), 1).await.len();
    let between = Between::start(&sandbox, &[Fault::Answered(420, ""), LOCKED]).await;
    let shop = quick(between.client(&sandbox))
        .build()
        .expect("a client")
        .business(id(1));
    shop.send_message(id(1), "Один раз").await.expect("sent");
    assert_eq!(
        (between.calls(), texts(&sandbox.shop(), 1).await.len()),
        (3, before + 1)
    );
}

#[tokio::test]
async fn with_keys_a_send_is_tried_again_and_makes_one_message() {
    let sandbox = Sandbox::start().await;
    let before = texts(&sandbox.shop(), 1).await.len();
    let between = Between::start(&sandbox, &[Fault::AnswerLost, BUSY]).await;
    let client = quick(between.client(&sandbox))
        .idempotency_keys()
        .build()
        .expect("a client");
    let shop = client.business(id(1));
    shop.send_message(id(1), "Один раз").await.expect("sent");
    assert_eq!(
        (between.calls(), texts(&sandbox.shop(), 1).await.len()),
        (3, before + 1)
    );
    // Another send of the same text is another message.
    shop.send_message(id(1), "Один раз").await.expect("sent");
    assert_eq!(texts(&sandbox.shop(), 1).await.len(), before + 2);
    // The same key from a caller that forgot that it sent is the same message.
    let key = IdempotencyKey::new("order-1-shipped").expect("a key");
    for _ in 0..2 {
        shop.send_message_once(id(1), "Отправлено", &key)
            .await
            .expect("sent");
    }
    assert_eq!(texts(&sandbox.shop(), 1).await.len(), before + 3);
}

#[tokio::test]
async fn with_keys_a_file_is_sent_once() {
    let sandbox = Sandbox::start().await;
    let between = Between::start(&sandbox, &[Fault::AnswerLost]).await;
    let client = quick(between.client(&sandbox))
        .idempotency_keys()
        .build()
        .expect("a client");
    let file = NewFile {
        name: "a.txt".to_owned(),
        content: b"content".to_vec().into(),
    };
    client
        .business(id(1))
        .send_file(id(3), &file)
        .await
        .expect("sent");
    let page = sandbox
        .shop()
        .history_page(id(3), None, prilavok_client::PageRequest::first(100))
        .await;
    let messages = page.expect("a page").items;
    let sent = messages
        .iter()
        .flat_map(|message| &message.files)
        .filter(|one| one.name == "a.txt");
    assert_eq!((sent.count(), between.calls()), (1, 2));
}

#[tokio::test]
async fn starting_a_chat_is_tried_again() {
    let sandbox = Sandbox::start().await;
    let between = Between::start(&sandbox, &[Fault::AnswerLost]).await;
    let shop = quick(between.client(&sandbox))
        .build()
        .expect("a client")
        .business(id(1));
    let chat = shop.create_chat(Subject::Order(id(2))).await.expect("a chat");
    assert_eq!(
        chat,
        sandbox
            .shop()
            .create_chat(Subject::Order(id(2)))
            .await
            .expect("a chat")
    );
    assert_eq!(between.calls(), 2);
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_done() {
    let sandbox = Sandbox::start().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = nobody.local_addr().expect("an address");
    drop(nobody);
    let key = prilavok_client::Credential::api_key(&sandbox.key).expect("a key");
    let client = quick(prilavok_client::Client::builder(
        &format!("http://{address}"),
        key,
    ));
    let shop = client.build().expect("a client").business(id(1));
    let error = shop.send_message(id(1), "Эй").await.expect_err("nobody is there");
    assert!(
        matches!(&error, Error::Unreachable { host, .. } if *host == address.to_string()),
        "{error}"
    );
    assert!(!error.may_have_been_done() && !error.to_string().contains("ACMA"));
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_may_be() {
    let sandbox = Sandbox::start().await;
    let between = Between::start(&sandbox, &[]).await;
    let patient = RetryPolicy {
        attempts: 10,
        ..QUICK
    };
    let client = between.client(&sandbox).retry(patient).build().expect("a client");
    let shop = client.business(id(1));
    let results = join_all((0..60).map(|_| shop.chat(id(1)))).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert!((2..=4).contains(&between.most()), "{}", between.most());
}
