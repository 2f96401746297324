//! What the parts of a call cost by themselves: `just microbench`.
//!
//! The store is a small one on this machine's disk: sends are durable, so theirs is the disk's time.

use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use divan::{Bencher, counter::ItemsCount};
use http::Method;
use prilavok_domain::rules::Initiator;
use prilavok_domain::{
    Business, BusinessId, BusinessState, Chat, ChatId, Customer, IdSequence, Message, MessageText, Name,
    PublicId, Sender, Timestamp,
};
use prilavok_server::limits::{Bucket, LimitSettings, Limiter};
use prilavok_server::{partner, secrets};
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
use prilavok_store::{
    ChatCursor, ChatFilter, MessageRange, NewMessage, Registration, StartChat, Store, Subject,
};
use prilavok_wire::Errors;
use prilavok_wire::Operation;
use prilavok_wire::UtcOffset;
use prilavok_wire::answer::{ChatDto, HistoryDto, MessageDto, PagingDto, Success};
use prilavok_wire::page_token::ChatPlace;
use prilavok_wire::request::{GetChat, GetChats};
use tempfile::TempDir;
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TEXT: &str = "Добрый день! Посылка уже в пути, ждём её в пункте выдачи завтра к вечеру. Хорошего дня!";
const CHATS: usize = 100;
const MESSAGES: usize = 50;

fn main() {
    divan::main();
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000).expect("in range")
}

fn shop() -> BusinessId {
    BusinessId::new(1).expect("an id")
}

/// A store with a business, chats and a chat with a page of messages.
struct Shop {
    _folder: TempDir,
    runtime: Runtime,
    store: Arc<SqliteStore>,
    chat: ChatId,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build();
        let runtime = runtime.expect("a runtime");
        let store = SqliteStore::open(&folder.path().join(FILE_NAME), IdSequence::clocked(0, 0));
        let store = Arc::new(store.expect("a store"));
        let chat = runtime.block_on(fill(&store));
        Self {
            _folder: folder,
            runtime,
            store,
            chat,
        }
    }
}

async fn fill(store: &SqliteStore) -> ChatId {
    let business = Business {
        id: shop(),
        name: Name::new("Лавка").expect("a name"),
        state: BusinessState::Active,
    };
    store
        .register(vec![Registration::Business(business)])
        .await
        .expect("a business");
    let mut last = None;
    for number in 0..CHATS {
        let person = PublicId::new(format!("customer-{number:07}")).expect("an id");
        let customer = Customer {
            public_id: person.clone(),
            name: Name::new(format!("Покупатель {number}")).expect("a name"),
            erased_at: None,
        };
        store
            .register(vec![Registration::Customer(customer)])
            .await
            .expect("a customer");
        let start = StartChat {
            initiator: Initiator::Customer,
            customer: Some(person),
            subject: Subject::Direct,
        };
        last = Some(
            store
                .start_chat(shop(), start, None, now())
                .await
                .expect("a chat")
                .value
                .chat
                .id,
        );
    }
    let chat = last.expect("a chat");
    for _ in 0..MESSAGES {
        store
            .append_message(shop(), chat, a_message(), None, now())
            .await
            .expect("a message");
    }
    chat
}

fn a_message() -> NewMessage {
    NewMessage {
        sender: Sender::Partner,
        text: Some(MessageText::new(TEXT).expect("a text")),
        files: Vec::new(),
        wait_for: None,
    }
}

mod parsing {
    use super::*;

    #[divan::bench]
    fn address() -> bool {
        partner::called(&Method::GET, black_box("/v2/businesses/4711/chat")).is_some()
    }

    #[divan::bench]
    fn query_of_get_chat() -> bool {
        GetChat::parse(Errors::default(), black_box("chatId=250000000012345")).is_ok()
    }

    #[divan::bench]
    fn query_and_body_of_get_chats() -> bool {
        let body = black_box(br#"{"types":["CHAT"],"statuses":["NEW","WAITING_FOR_PARTNER"]}"#.as_slice());
        GetChats::parse(Errors::default(), shop(), black_box("limit=20"), Ok(body)).is_ok()
    }

    #[divan::bench]
    fn page_token(bencher: Bencher<'_, '_>) {
        let request = GetChats::parse(Errors::default(), shop(), "limit=20", Ok(b"{}")).expect("a request");
        let place = ChatPlace {
            updated_at: now(),
            id: ChatId::new(250_000_000_012_345).expect("an id"),
        };
        let query = format!("limit=20&page_token={}", request.next_page(place));
        bencher.bench(|| GetChats::parse(Errors::default(), shop(), black_box(&query), Ok(b"{}")).is_ok());
    }
}

/// What a future answers that waits for nobody.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits"),
    }
}

mod access {
    use super::*;

    #[divan::bench]
    fn key_is_checked_and_hashed(bencher: Bencher<'_, '_>) {
        let key = secrets::new_api_key();
        bencher.bench(|| {
            secrets::check_api_key(black_box(&key)).expect("a key");
            secrets::hash(black_box(&key))
        });
    }

    #[divan::bench]
    fn limits_of_a_call(bencher: Bencher<'_, '_>) {
        let limits = Limiter::new(LimitSettings::lifted(), &[]);
        bencher.bench(|| {
            let slot = limits.enter(Bucket::Business(shop())).ok();
            let taken = at_once(limits.take(Operation::GetChat, shop(), now())).is_ok();
            (
                slot,
                taken,
                limits.window(Operation::GetChat, Some(shop()), now()),
            )
        });
    }
}

mod encoding {
    use super::*;

    fn read() -> (Shop, Chat, Vec<Message>) {
        let shop = Shop::new();
        let (chat, messages) = shop.runtime.block_on(async {
            let chat = shop
                .store
                .chat(super::shop(), shop.chat)
                .await
                .expect("a read")
                .expect("a chat");
            let page = shop
                .store
                .messages(super::shop(), shop.chat, MessageRange::default(), MESSAGES)
                .await;
            (chat, page.expect("a page").items)
        });
        (shop, chat, messages)
    }

    #[divan::bench]
    fn a_chat(bencher: Bencher<'_, '_>) {
        let (_shop, chat, _) = read();
        bencher.bench(|| sonic_rs::to_vec(&Success::new(ChatDto::new(black_box(&chat), UtcOffset::UTC))));
    }

    #[divan::bench]
    fn fifty_messages(bencher: Bencher<'_, '_>) {
        let (_shop, chat, messages) = read();
        bencher.counter(ItemsCount::new(MESSAGES)).bench(|| {
            let messages = messages
                .iter()
                .map(|one| MessageDto::new(one, UtcOffset::UTC, |_| String::new()));
            let paging = PagingDto {
                next_page_token: None,
            };
            sonic_rs::to_vec(&Success::new(HistoryDto::new(&chat, messages.collect(), paging)))
        });
    }
}

mod store {
    use super::*;

    #[divan::bench]
    fn chat_that_is_known(bencher: Bencher<'_, '_>) {
        let shop = Shop::new();
        bencher.bench_local(|| {
            shop.runtime
                .block_on(shop.store.chat(super::shop(), shop.chat))
                .expect("a read")
        });
    }

    #[divan::bench]
    fn page_of_twenty_chats(bencher: Bencher<'_, '_>) {
        let shop = Shop::new();
        let (filter, after): (_, Option<ChatCursor>) = (ChatFilter::default(), None);
        bencher.counter(ItemsCount::new(20_usize)).bench_local(|| {
            shop.runtime
                .block_on(shop.store.chats(super::shop(), &filter, after, 20))
                .expect("a page")
        });
    }

    #[divan::bench]
    fn page_of_fifty_messages(bencher: Bencher<'_, '_>) {
        let shop = Shop::new();
        bencher.counter(ItemsCount::new(MESSAGES)).bench_local(|| {
            let page = shop
                .store
                .messages(super::shop(), shop.chat, MessageRange::default(), MESSAGES);
            shop.runtime.block_on(page).expect("a page")
        });
    }

    #[divan::bench(sample_count = 20, sample_size = 10)]
    fn one_durable_message(bencher: Bencher<'_, '_>) {
        let shop = Shop::new();
        bencher.bench_local(|| {
            let sent = shop
                .store
                .append_message(super::shop(), shop.chat, a_message(), None, now());
            shop.runtime.block_on(sent).expect("a message")
        });
    }

    #[divan::bench(sample_count = 20, sample_size = 4)]
    fn thirty_two_durable_messages_at_once(bencher: Bencher<'_, '_>) {
        let shop = Shop::new();
        bencher.counter(ItemsCount::new(32_usize)).bench_local(|| {
            shop.runtime.block_on(async {
                let sent = (0..32).map(|_| {
                    let (store, chat) = (Arc::clone(&shop.store), shop.chat);
                    tokio::spawn(async move {
                        store
                            .append_message(super::shop(), chat, a_message(), None, now())
                            .await
                    })
                });
                for one in sent.collect::<Vec<_>>() {
                    one.await.expect("a task").expect("a message");
                }
            });
        });
    }
}
