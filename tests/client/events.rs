//! Live events: as they happen, and none lost when the connection is.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use prilavok_client::{Error, Event, EventId, Live, RetryPolicy};

use crate::between::{Between, Fault};
use crate::{PATIENCE, Sandbox, id};

type Events = Pin<Box<dyn Stream<Item = Result<Live, Error>> + Send>>;

async fn next(events: &mut Events) -> Live {
    let live = tokio::time::timeout(PATIENCE, events.next())
        .await
        .expect("in time");
    live.expect("it goes on").expect("no error")
}

/// The id of the event, which must be a message in `chat`.
async fn message_in(events: &mut Events, chat: i64) -> EventId {
    match next(events).await {
        Live::Event {
            id: Some(event),
            notification,
        } => {
            let told = notification.event().expect("a known event");
            assert!(matches!(told, Event::ChatMessageSent { .. }), "{told:?}");
            assert_eq!(told.chat(), Some(id(chat)));
            event
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn events_come_as_they_happen_and_after_a_break() {
    let sandbox = Sandbox::start().await;
    let between = Between::start(&sandbox, &[Fault::CutLater, Fault::Answered(503, "busy")]).await;
    let listening = between
        .client(&sandbox)
        .build()
        .expect("a client")
        .business(id(1));
    let mut events: Events = Box::pin(listening.events(None));
    let shop = sandbox.shop();
    assert_eq!(next(&mut events).await, Live::Connected);
    shop.send_message(id(1), "Раз").await.expect("sent");
    let first = message_in(&mut events, 1).await;
    between.cut();
    shop.send_message(id(3), "Два").await.expect("sent");
    assert_eq!(next(&mut events).await, Live::Connected);
    message_in(&mut events, 3).await;
    assert_eq!(between.calls(), 3);

    let mut again: Events = Box::pin(shop.events(Some(first)));
    assert_eq!(next(&mut again).await, Live::Connected);
    message_in(&mut again, 3).await;
}

#[tokio::test]
async fn an_end_before_the_first_event_loses_none() {
    let sandbox = Sandbox::start().await;
    let between = Between::start(&sandbox, &[Fault::EndsLater, Fault::Answered(503, "busy")]).await;
    let listening = between
        .client(&sandbox)
        .build()
        .expect("a client")
        .business(id(1));
    let mut events: Events = Box::pin(listening.events(None));
    assert_eq!(next(&mut events).await, Live::Connected);
    // The first lines say where the stream stands.
    between.begun().await;
    between.cut();
    sandbox.shop().send_message(id(1), "Раз").await.expect("sent");
    assert_eq!(next(&mut events).await, Live::Connected);
    message_in(&mut events, 1).await;
}

#[tokio::test]
async fn it_ends_where_there_is_no_hope() {
    let sandbox = Sandbox::start().await;
    let hopeless = [
        Fault::Answered(404, ""),
        Fault::Answered(401, ""),
        Fault::Answered(403, ""),
    ];
    let between = Between::start(&sandbox, &hopeless).await;
    let listening = between
        .client(&sandbox)
        .build()
        .expect("a client")
        .business(id(1));
    for status in [404, 401, 403] {
        let mut events: Events = Box::pin(listening.events(None));
        let error = events.next().await.expect("an error").expect_err("no stream");
        assert_eq!(error.status(), Some(status));
        assert!(events.next().await.is_none());
    }
    let between = Between::start(&sandbox, &[Fault::Answered(503, "busy"); 2]).await;
    let retry = RetryPolicy {
        attempts: 2,
        ..RetryPolicy::default()
    };
    let listening = between.client(&sandbox).retry(retry).build().expect("a client");
    let mut events: Events = Box::pin(listening.business(id(1)).events(None));
    let error = events.next().await.expect("an error").expect_err("no stream");
    assert_eq!((error.status(), between.calls()), (Some(503), 2));
}

#[tokio::test]
async fn what_is_not_kept_any_more_is_a_gap() {
    let sandbox = Sandbox::start().await;
    let long_ago = "1".parse().expect("an id");
    let mut events: Events = Box::pin(sandbox.shop().events(Some(long_ago)));
    assert_eq!(next(&mut events).await, Live::Connected);
    assert!(matches!(next(&mut events).await, Live::Gap { .. }));
}
