//! Random operations against a plain model: whatever is done, in whatever order and by whatever
//! clock, the store says what the model says and keeps what must always be true.
//!
//! The model asks `prilavok-domain` for the rules; those have a table of their own.

use std::collections::{BTreeMap, HashSet};

use prilavok_domain::rules::{self, ChatState, Event, WaitFor};
use prilavok_domain::{
    BusinessId, Chat, ChatId, ChatStatus, ChatType, Context, Message, PublicId, Sender, Timestamp,
};
use prilavok_store::files::FileStore;
use prilavok_store::{ChatChange, NewMessage, Refusal, StartChat, Store, StoreError};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::places::{Site, on_every_store};
use crate::population::*;

#[derive(Debug, Clone)]
enum Step {
    Start {
        other: bool,
        what: StartChat,
    },
    Say {
        chat: usize,
        sender: Sender,
        wait_for: Option<WaitFor>,
    },
    Change {
        chat: usize,
        what: ChatChange,
    },
    Dispute {
        chat: usize,
    },
    MoveClock {
        by: i64,
    },
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let subjects = vec![
        order(100),
        order(101),
        returned(200),
        direct("anna"),
        direct("boris"),
    ];
    let chat = 0..100_usize;
    let step = prop_oneof![
        3 => (any::<bool>(), prop::sample::select(subjects))
            .prop_map(|(other, what)| Step::Start { other, what }),
        8 => (
            chat.clone(),
            prop::sample::select(Sender::ALL),
            prop::option::weighted(0.3, prop::sample::select(WaitFor::ALL)),
        )
            .prop_map(|(chat, sender, wait_for)| Step::Say { chat, sender, wait_for }),
        3 => (chat.clone(), prop::sample::select(vec![ChatChange::Escalate, ChatChange::Finish]))
            .prop_map(|(chat, what)| Step::Change { chat, what }),
        3 => chat.prop_map(|chat| Step::Dispute { chat }),
        2 => (-HOUR..HOUR).prop_map(|by| Step::MoveClock { by }),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..50)
}

/// What the store must answer.
#[derive(Default)]
struct Model {
    chats: Vec<Chat>,
    messages: BTreeMap<ChatId, Vec<Message>>,
    events: usize,
}

impl Model {
    fn pick(&self, number: usize) -> Option<usize> {
        (!self.chats.is_empty()).then(|| number % self.chats.len())
    }

    fn unfinished_dispute(&self, beside: &Chat) -> bool {
        self.chats.iter().any(|it| {
            (it.business, it.context) == (beside.business, beside.context)
                && it.kind == ChatType::Arbitrage
                && it.status != ChatStatus::Finished
        })
    }

    async fn compare(&self, store: &dyn Store) {
        let mut found = all_chats(store, shop(), &Default::default()).await;
        found.extend(all_chats(store, other(), &Default::default()).await);
        found.sort_by_key(|it| it.id);
        assert_eq!(found, self.chats);
        for chat in &found {
            let page = store
                .messages(chat.business, chat.id, Default::default(), 1_000)
                .await;
            assert_eq!(page.expect("a page").items, self.messages[&chat.id]);
        }
        assert_eq!(all_events(store).await.len(), self.events);
    }
}

/// What is true of every store, asked without the model.
async fn keeps_what_must_be_true(store: &dyn Store) {
    let mut contexts: HashSet<(BusinessId, Context, Option<PublicId>)> = HashSet::new();
    let mut disputes: HashSet<(BusinessId, Context)> = HashSet::new();
    let mut ids = HashSet::new();
    for business in [shop(), other()] {
        for chat in all_chats(store, business, &Default::default()).await {
            let customer = (chat.context == Context::Direct).then(|| chat.customer.public_id.clone());
            if chat.kind == ChatType::Chat {
                assert!(
                    contexts.insert((business, chat.context, customer)),
                    "two chats: {chat:?}"
                );
            } else if chat.status != ChatStatus::Finished {
                assert!(
                    disputes.insert((business, chat.context)),
                    "two disputes: {chat:?}"
                );
            }
            let page = store.messages(business, chat.id, Default::default(), 1_000).await;
            let messages = page.expect("a page").items;
            assert!(messages.is_sorted_by(|a, b| a.id < b.id), "{messages:?}");
            assert!(messages.is_sorted_by_key(|it| it.created_at), "{messages:?}");
            let last = messages.last();
            assert_eq!(chat.last_message, last.map(|it| it.id));
            assert_eq!(chat.updated_at, last.map_or(chat.created_at, |it| it.created_at));
            for message in &messages {
                assert!(ids.insert(message.id), "two messages with the id {}", message.id);
            }
            let untouched = messages.iter().all(moves_nothing);
            assert!(chat.status != ChatStatus::New || untouched, "new again: {chat:?}");
        }
    }
}

/// A message after which a new chat may still be new.
fn moves_nothing(message: &Message) -> bool {
    matches!(message.sender, Sender::Market | Sender::Support)
}

fn expect_refusal<T: std::fmt::Debug>(result: prilavok_store::Result<T>, violation: rules::RuleViolation) {
    match result {
        Err(StoreError::Refused(Refusal::Rule(found))) => assert_eq!(found, violation),
        other => panic!("expected {violation:?}, got {other:?}"),
    }
}

/// Does the step to both, and compares what they answer.
async fn take(step: Step, site: &mut Site, model: &mut Model, now: &mut Timestamp) {
    let store = std::sync::Arc::clone(&site.store);
    match step {
        Step::MoveClock { by } => *now = now.plus_millis(by),
        Step::Reopen => site.reopen().await,
        Step::Start {
            other: elsewhere,
            what,
        } => {
            let business = if elsewhere { other() } else { shop() };
            start_both(&*store, model, business, what, *now).await;
        }
        Step::Say {
            chat,
            sender,
            wait_for,
        } => {
            let Some(at) = model.pick(chat) else { return };
            let new = NewMessage {
                wait_for,
                ..says(sender, "text")
            };
            say_both(&*store, model, at, new, *now).await;
        }
        Step::Change { chat, what } => {
            let Some(at) = model.pick(chat) else { return };
            let chat = &mut model.chats[at];
            let event = match what {
                ChatChange::Escalate => Event::Escalated,
                ChatChange::Finish => Event::Finished,
            };
            let answer = store.change_chat(chat.business, chat.id, what, None, *now).await;
            let (kind, status) = (chat.kind, chat.status);
            match (ChatState { kind, status }).apply(event) {
                Ok(after) => {
                    chat.status = after.status;
                    model.events += usize::from(after.notification(event).is_some());
                    assert_eq!(answer.expect("a change").value, *chat);
                }
                Err(violation) => expect_refusal(answer, violation),
            }
        }
        Step::Dispute { chat } => {
            let Some(at) = model.pick(chat) else { return };
            let beside = model.chats[at].clone();
            let unfinished = model.unfinished_dispute(&beside);
            let answer = store
                .start_arbitration(beside.business, beside.id, None, *now)
                .await;
            match rules::may_start_arbitration(beside.kind, beside.context.kind(), unfinished) {
                Ok(state) => {
                    let chat = answer.expect("an arbitration").value;
                    began(model, chat, beside, state, *now);
                }
                Err(violation) => expect_refusal(answer, violation),
            }
        }
    }
}

/// Notes a chat that was just made, like `like` but for what is new about it.
fn began(model: &mut Model, chat: Chat, like: Chat, state: ChatState, now: Timestamp) {
    let expected = Chat {
        id: chat.id,
        kind: state.kind,
        status: state.status,
        created_at: now,
        updated_at: now,
        last_message: None,
        ..like
    };
    assert_eq!(chat, expected);
    assert!(model.chats.iter().all(|it| it.id < chat.id), "ids increase");
    model.messages.insert(chat.id, Vec::new());
    model.chats.push(chat);
    model.events += 1;
}

async fn start_both(
    store: &dyn Store,
    model: &mut Model,
    business: BusinessId,
    what: StartChat,
    now: Timestamp,
) {
    let answer = store.start_chat(business, what.clone(), None, now).await;
    let missing = matches!(&answer, Err(StoreError::Refused(Refusal::NotFound(_))));
    if missing {
        // Of the subjects, order 101 alone is not the other business's.
        assert_eq!((business, what), (other(), order(101)));
        return;
    }
    let started = answer.expect("a chat").value;
    let same = |it: &&Chat| {
        it.business == business
            && it.kind == ChatType::Chat
            && it.context == started.chat.context
            && it.customer == started.chat.customer
    };
    match model.chats.iter().find(same) {
        Some(there) => assert_eq!((&started.chat, started.created), (there, false)),
        None => {
            assert!(started.created);
            let chat = started.chat;
            began(model, chat.clone(), chat, ChatState::NEW_CHAT, now);
        }
    }
}

async fn say_both(store: &dyn Store, model: &mut Model, at: usize, new: NewMessage, now: Timestamp) {
    let chat = &mut model.chats[at];
    let event = Event::Message {
        sender: new.sender,
        wait_for: new.wait_for,
    };
    let (kind, status) = (chat.kind, chat.status);
    let answer = store
        .append_message(chat.business, chat.id, new.clone(), None, now)
        .await;
    match (ChatState { kind, status }).apply(event) {
        Ok(after) => {
            let message = answer.expect("a message").value;
            let expected = Message {
                id: message.id,
                created_at: now.max(chat.updated_at),
                sender: new.sender,
                text: new.text,
                files: Vec::new(),
            };
            assert_eq!(message, expected);
            let earlier = model.messages.values().flatten();
            assert!(earlier.into_iter().all(|it| it.id < message.id), "ids increase");
            chat.status = after.status;
            chat.updated_at = message.created_at;
            chat.last_message = Some(message.id);
            model.messages.entry(chat.id).or_default().push(message);
            model.events += 1;
        }
        Err(violation) => expect_refusal(answer, violation),
    }
}

#[test]
fn random_operations_leave_what_the_model_says_and_what_must_always_be_true() {
    let config = Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&steps(), |steps| {
            on_every_store(async |mut site| {
                populate(&*site.store).await;
                let mut model = Model::default();
                let mut now = at(0);
                for step in steps.clone() {
                    take(step, &mut site, &mut model, &mut now).await;
                }
                model.compare(&*site.store).await;
                keeps_what_must_be_true(&*site.store).await;
                let files = FileStore::local(&site.folder.path().join("files")).expect("a file store");
                let report = site.store.check(&files).await.expect("a report");
                assert_eq!(report.problems, Vec::<String>::new());
            });
            Ok(())
        })
        .unwrap_or_else(|failed| panic!("{failed}"));
}
