//! Every operation against a real server.

use futures_util::{StreamExt, TryStreamExt};
use prilavok_client::{
    ApiAvailability, ChatFilter, ChatStatus, ChatType, Client, ContextType, Credential, Error, ErrorCode,
    NewFile, PageRequest, Placement, Scope, Sender, Subject,
};

use crate::{Sandbox, id, texts};

#[tokio::test]
async fn chats_are_read_one_by_one_and_as_a_list() {
    let sandbox = Sandbox::start().await;
    let shop = sandbox.shop();
    let chat = shop.chat(id(1)).await.expect("a chat");
    assert_eq!((chat.id, &chat.kind), (id(1), &ChatType::Chat));
    assert_eq!(chat.context.kind, ContextType::Order);
    assert_eq!(chat.context.order_id, Some(id(1)));
    assert!(chat.context.customer.expect("a customer").name.is_some());

    let all: Vec<_> = shop
        .chats(ChatFilter::default())
        .try_collect()
        .await
        .expect("chats");
    assert!(all.len() > 40, "three pages: {}", all.len());
    assert!(all.is_sorted_by(|one, next| one.updated_at >= next.updated_at));
    let mut ids: Vec<_> = all.iter().map(|chat| chat.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "none twice");

    let filter = ChatFilter {
        types: vec![ChatType::Arbitrage],
        statuses: vec![ChatStatus::WaitingForArbiter, ChatStatus::WaitingForPartner],
        ..ChatFilter::default()
    };
    let disputes: Vec<_> = shop.chats(filter).try_collect().await.expect("chats");
    assert!(!disputes.is_empty() && disputes.iter().all(|chat| chat.kind == ChatType::Arbitrage));
    let about = ChatFilter {
        contexts: vec![Subject::Order(id(1))],
        context_types: vec![ContextType::Order],
        ..ChatFilter::default()
    };
    let page = shop
        .chats_page(&about, PageRequest::first(5))
        .await
        .expect("a page");
    assert_eq!((page.items.len(), page.items[0].id, page.next), (1, id(1), None));
}

#[tokio::test]
async fn a_list_asks_for_no_more_pages_than_are_read() {
    let sandbox = Sandbox::start().await;
    let between = crate::between::Between::start(&sandbox, &[]).await;
    let shop = between
        .client(&sandbox)
        .build()
        .expect("a client")
        .business(id(1));
    let some: Vec<_> = shop.chats(ChatFilter::default()).take(20).collect().await;
    assert_eq!((some.len(), between.calls()), (20, 1));
}

#[tokio::test]
async fn what_is_sent_is_in_the_history() {
    let sandbox = Sandbox::start().await;
    let shop = sandbox.shop();
    let before = texts(&shop, 1).await.len();
    shop.send_message(id(1), "Посылка \"в пути\" 🙂")
        .await
        .expect("sent");
    let file = NewFile {
        name: "чек \"1\".pdf".to_owned(),
        content: b"--prilavok\r\n\0\xff".to_vec().into(),
    };
    shop.send_file(id(1), &file).await.expect("sent");
    let messages: Vec<_> = shop.history(id(1), None).try_collect().await.expect("messages");
    let [.., text, sent] = &messages[..] else {
        panic!("{messages:?}")
    };
    assert_eq!(text.text.as_deref(), Some("Посылка \"в пути\" 🙂"));
    assert_eq!(
        (&text.sender, texts(&shop, 1).await.len()),
        (&Sender::Partner, before + 1)
    );
    let [attachment] = &sent.files[..] else {
        panic!("{sent:?}")
    };
    assert_eq!(
        (&attachment.name, attachment.size),
        (&file.name, file.content.len() as u64)
    );

    let client = sandbox.client().build().expect("a client");
    assert_eq!(client.download(attachment).await.expect("a file"), file.content);
    assert_eq!(shop.message(id(1), sent.id).await.expect("a message"), *sent);
    let from: Vec<_> = shop
        .history(id(1), Some(text.id))
        .try_collect()
        .await
        .expect("messages");
    assert_eq!(from, [text.clone(), sent.clone()]);
    let page = shop
        .history_page(id(1), None, PageRequest::first(1))
        .await
        .expect("a page");
    assert_eq!(page.items, messages[..1]);
    assert!(page.next.is_some());
}

#[tokio::test]
async fn a_chat_is_started_once() {
    let sandbox = Sandbox::start().await;
    let shop = sandbox.shop();
    let chat = shop.create_chat(Subject::Order(id(2))).await.expect("a chat");
    assert_eq!(
        shop.create_chat(Subject::Order(id(2))).await.expect("a chat"),
        chat
    );
    assert_eq!(
        shop.chat(chat).await.expect("a chat").context.order_id,
        Some(id(2))
    );
    let returned = shop.create_chat(Subject::Return(id(1))).await.expect("a chat");
    assert_eq!(
        shop.chat(returned).await.expect("a chat").context.return_id,
        Some(id(1))
    );
}

#[tokio::test]
async fn key_and_campaigns_are_told() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.client().build().expect("a client");
    let key = client.key_info().await.expect("a key");
    assert_eq!((&*key.name, &*key.scopes), ("demo", &[Scope::Communication][..]));
    let campaigns: Vec<_> = client.campaigns().try_collect().await.expect("campaigns");
    let found: Vec<_> = campaigns
        .iter()
        .map(|one| (one.id, one.placement.clone()))
        .collect();
    assert_eq!(
        found,
        [(id(1), Some(Placement::Fbs)), (id(2), Some(Placement::Dbs))]
    );
    let first = client
        .campaigns_page(PageRequest::first(1))
        .await
        .expect("a page");
    assert_eq!(first.items, campaigns[..1]);
    let second = PageRequest {
        limit: Some(1),
        token: first.next,
    };
    let second = client.campaigns_page(second).await.expect("a page");
    assert_eq!(second.items, campaigns[1..]);
    let one = client.campaign(id(1)).await.expect("a campaign");
    assert_eq!(one, campaigns[0]);
    assert_eq!(one.api_availability, Some(ApiAvailability::Available));
    assert_eq!(one.business.expect("a business").id, id(1));
}

#[tokio::test]
async fn errors_tell_what_is_wrong() {
    let sandbox = Sandbox::start().await;
    let shop = sandbox.shop();
    let error = shop.chat(id(9_999_999)).await.expect_err("no such chat");
    assert_eq!(error.status(), Some(404));
    let api = error.api().expect("an answer");
    assert!(api.has(&ErrorCode::NotFound) && !error.may_have_been_done());
    assert_eq!(api.details[0].message, "Can't find chat by id: '9999999'");
    assert_eq!(api.limit.limit, Some(1_000));
    assert_eq!(api.limit.remaining, Some(999));
    let in_an_hour = std::time::Duration::from_secs(3_600);
    assert!(api.limit.reset_in.expect("a time") <= in_an_hour);

    let too_long = shop
        .send_message(id(1), &"ы".repeat(4_097))
        .await
        .expect_err("too long");
    assert_eq!(too_long.status(), Some(400), "{too_long}");
    let key = Credential::api_key("ACMA:nonsense").expect("a credential");
    let stranger = Client::builder(&sandbox.url, key).build().expect("a client");
    let error = stranger.business(id(1)).chat(id(1)).await.expect_err("no key");
    assert!(
        error.api().expect("an answer").has(&ErrorCode::Unauthorized),
        "{error}"
    );
    let bearer = Credential::bearer("nonsense").expect("a credential");
    let stranger = Client::builder(&sandbox.url, bearer).build().expect("a client");
    let error = stranger.business(id(1)).chat(id(1)).await.expect_err("no token");
    assert_eq!(error.status(), Some(403), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_not_the_apis_is_an_error() {
    let sandbox = Sandbox::start().await;
    let fault = crate::between::Fault::Answered(200, "<h1>Welcome</h1>");
    let between = crate::between::Between::start(&sandbox, &[fault]).await;
    let shop = between
        .client(&sandbox)
        .build()
        .expect("a client")
        .business(id(1));
    let error = shop.chat(id(1)).await.expect_err("no chat");
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
}
