//! Erasing a customer: what goes, what stays, who may still write, and going on after a break.

use prilavok_domain::rules::{Initiator, RuleViolation};
use prilavok_domain::{
    BusinessId, Chat, ChatId, DecidedFor, Event, Message, MessageText, Name, Sender, Timestamp,
};
use prilavok_store::{Act, Conflict, Entity, Erasure, Put, Refusal, Registration, StartChat, Store, Subject};

use crate::places::{on_every_populated_store, on_every_store};
use crate::population::*;
use crate::retention::{check, long_chat, with_file};

async fn begin(store: &dyn Store, customer: &str, now: Timestamp) -> Erasure {
    let begun = store.erase_customer(&person(customer), now).await;
    begun.expect("an erasure")
}

/// Takes steps until there is none; answers the objects that are to be removed.
async fn erase(store: &dyn Store, customer: &str) -> Vec<String> {
    let mut objects = Vec::new();
    loop {
        let step = store
            .erase_some(&person(customer), at(HOUR))
            .await
            .expect("a step");
        objects.extend(step.objects);
        if !step.more {
            return objects;
        }
    }
}

async fn say(store: &dyn Store, business: BusinessId, chat: ChatId, sender: Sender, text: &str) -> Message {
    let said = store
        .append_message(business, chat, says(sender, text), None, at(1))
        .await;
    said.expect("a message").value
}

/// All that is kept about chats and events but texts, names and files' bytes.
async fn bones(store: &dyn Store) -> (Vec<String>, Vec<Event>) {
    let mut bones = Vec::new();
    for business in [shop(), other()] {
        for chat in all_chats(store, business, &Default::default()).await {
            let Chat { customer, .. } = &chat;
            bones.push(format!(
                "{} {} {:?} {:?} {:?} {:?} {:?} {:?}",
                chat.id,
                customer.public_id.as_str(),
                chat.context,
                chat.kind,
                chat.status,
                chat.created_at,
                chat.updated_at,
                chat.last_message
            ));
            let page = store
                .messages(business, chat.id, Default::default(), 10_000)
                .await;
            for message in page.expect("a page").items {
                let files: Vec<_> = message.files.iter().map(|file| (file.id, file.size)).collect();
                bones.push(format!(
                    "{} {:?} {} {files:?}",
                    message.id, message.created_at, message.sender
                ));
            }
        }
    }
    (bones, all_events(store).await)
}

#[test]
fn the_name_goes_at_once_and_what_was_said_in_steps() {
    on_every_populated_store(async |store| {
        let registered = store
            .register(vec![Registration::Order(an_order(OTHER, 300, 20, "anna"))])
            .await;
        registered.expect("an order elsewhere");
        let own = new_chat(store, order(100)).await.id;
        say(
            store,
            shop(),
            own,
            Sender::Customer,
            "My address is 5 Main Street",
        )
        .await;
        say(store, shop(), own, Sender::Partner, "Dear Anna of 5 Main Street").await;
        write(store, own, with_file("1/a"), at(2)).await;
        let elsewhere = start(store, other(), order(300), at(0)).await.chat.id;
        say(store, other(), elsewhere, Sender::Customer, "And here").await;
        let dispute = arbitration(store, own).await.id;
        let settle = Act::Settle {
            dispute,
            decided_for: DecidedFor::Buyer,
            text: MessageText::new("Anna is right").expect("a text"),
        };
        let token = store.create_operator_token(prilavok_store::SecretHash([7; 32]), at(0));
        let by = token.await.expect("a token").id;
        store
            .act(shop(), settle, by, None, at(2))
            .await
            .expect("a verdict");
        let of_boris = new_chat(store, order(101)).await.id;
        let kept = say(store, shop(), of_boris, Sender::Customer, "I am Boris").await;
        let before = bones(store).await;
        let (shown_before, marks) = (read_chat(store, own).await, store.marks().await.expect("marks"));

        let begun = begin(store, "anna", at(10)).await;
        assert_eq!((begun.chats, begun.chats_done, begun.finished_at), (3, 0, None));
        assert_eq!(
            store.erasures_under_way(10).await.expect("a list"),
            [person("anna")]
        );
        let anna = store
            .customer(&person("anna"))
            .await
            .expect("a read")
            .expect("Anna");
        assert_eq!((&anna.name, anna.erased_at), (&Name::erased(), Some(at(10))));
        let shown = read_chat(store, own).await;
        assert_eq!(*shown.customer, anna, "in chats that are known as well");
        assert_ne!(shown.customer, shown_before.customer);
        let renamed = store.renamed_customers(marks.renamed, 10).await.expect("a list");
        assert_eq!(
            renamed.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(),
            ["anna"]
        );

        assert_eq!(erase(store, "anna").await, ["1/a"]);
        for (business, chat) in [(shop(), own), (other(), elsewhere), (shop(), dispute)] {
            let page = store.messages(business, chat, Default::default(), 100).await;
            for message in page.expect("a page").items {
                assert!(message.text.is_some_and(|text| text.is_erased()));
                for file in message.files {
                    assert_eq!((file.name.as_str(), file.removed_at), ("erased", Some(at(HOUR))));
                    assert_eq!(store.file(business, file.id).await.expect("a read"), None);
                }
            }
        }
        let verdict = store
            .verdict(shop(), dispute)
            .await
            .expect("a read")
            .expect("a verdict");
        assert!(verdict.text.is_erased());
        assert_eq!((verdict.decided_for, verdict.at), (DecidedFor::Buyer, at(2)));
        assert_eq!(
            all_messages(store, of_boris).await,
            [kept],
            "others are left alone"
        );
        assert_eq!(
            bones(store).await,
            before,
            "ids, times, senders, statuses and events stay"
        );
        assert_eq!(
            store.named_files(vec!["1/a".to_owned()]).await.expect("a read"),
            [false]
        );
        let told = store.taken_from(marks.taken, 10).await.expect("a list");
        let mut told: Vec<_> = told.iter().map(|from| from.chat).collect();
        told.sort_unstable();
        let mut all = vec![own, elsewhere, dispute];
        all.sort_unstable();
        assert_eq!(told, all);
        let done = store
            .erasure(&person("anna"))
            .await
            .expect("a read")
            .expect("an erasure");
        let finished = Erasure {
            chats_done: 3,
            finished_at: Some(at(HOUR)),
            ..begun
        };
        assert_eq!(done, finished);
        assert_eq!(
            begin(store, "anna", at(2 * HOUR)).await,
            finished,
            "once is enough"
        );
        assert_eq!(store.erasures_under_way(10).await.expect("a list"), []);
        while store.clear_traces().await.expect("a step") {}
        assert!(!store.clear_traces().await.expect("a step"), "once is enough");
        check(store).await;
    });
}

#[test]
fn a_new_process_goes_on_where_the_old_one_was() {
    on_every_store(async |mut site| {
        populate(&*site.store).await;
        let long = long_chat(&*site.store, 100, 1_700).await;
        let short = new_chat(&*site.store, direct("anna")).await.id;
        say(&*site.store, shop(), short, Sender::Customer, "short").await;
        begin(&*site.store, "anna", at(2)).await;
        let mut steps = 0;
        loop {
            let step = site
                .store
                .erase_some(&person("anna"), at(3))
                .await
                .expect("a step");
            let texts = all_messages(&*site.store, long).await;
            let erased = |message: &&Message| message.text.as_ref().is_some_and(|text| text.is_erased());
            let done = texts.iter().filter(erased).count();
            assert!(done <= 500 * (steps + 1), "a step is bounded");
            check(&*site.store).await;
            if !step.more {
                assert_eq!(done, 1_700);
                break;
            }
            steps += 1;
            site.reopen().await;
        }
        assert!(steps >= 4);
        let done = site
            .store
            .erasure(&person("anna"))
            .await
            .expect("a read")
            .expect("an erasure");
        assert_eq!((done.chats, done.chats_done), (2, 2));
        assert!(
            all_messages(&*site.store, short).await[0]
                .text
                .as_ref()
                .is_some_and(|it| it.is_erased())
        );
    });
}

#[test]
fn two_that_go_on_at_once_erase_everything_once() {
    on_every_store(async |site| {
        let (one, another) = (&*site.store, site.beside().await);
        populate(one).await;
        for about in [100, 103] {
            let chat = long_chat(one, about, 600).await;
            write(one, chat, with_file(&format!("1/{about}")), at(1)).await;
        }
        begin(one, "anna", at(2)).await;
        let (mut first, second) = tokio::join!(erase(one, "anna"), erase(&*another, "anna"));
        first.extend(second);
        first.sort_unstable();
        assert_eq!(first, ["1/100", "1/103"], "each object is told once");
        let done = one.erasure(&person("anna")).await.expect("a read");
        let done = done.expect("an erasure");
        assert_eq!((done.chats, done.chats_done), (2, 2));
        let told = one.taken_from(0, 10).await.expect("a list");
        assert_eq!(told.len(), 2);
        assert_eq!(one.marks().await.expect("marks").taken, told[1].place);
        check(one).await;
        another.close().await;
    });
}

#[test]
fn nothing_slips_in_behind_an_erasure() {
    on_every_store(async |site| {
        let (one, another) = (&*site.store, site.beside().await);
        populate(one).await;
        for round in 0..20 {
            let registered = one.register(vec![Registration::Customer(a_customer("anna", "Анна"))]);
            registered.await.expect("a put");
            let chat = start(one, shop(), order(100), at(0)).await.chat.id;
            let write = async {
                let mut written = 0;
                let text = format!("my address {round}");
                let said = || another.append_message(shop(), chat, customer_says(&text), None, at(1));
                while said().await.is_ok() {
                    written += 1;
                }
                written
            };
            let go = async {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                begin(one, "anna", at(2)).await;
                erase(one, "anna").await;
            };
            let (_, ()) = tokio::join!(write, go);
            for message in all_messages(one, chat).await {
                assert!(message.text.is_some_and(|text| text.is_erased()));
            }
        }
        check(one).await;
        another.close().await;
    });
}

#[test]
fn nothing_new_is_kept_about_who_was_erased() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        say(store, shop(), chat, Sender::Customer, "hello").await;
        let later = at(HOUR);
        assert_eq!(
            store.unanswered_chats(shop(), later, 10).await.expect("a list"),
            [chat]
        );
        begin(store, "anna", at(2)).await;
        let erased = Refusal::Rule(RuleViolation::CustomerErased);
        for sender in [Sender::Customer, Sender::Partner, Sender::Market] {
            let said = store.append_message(shop(), chat, says(sender, "x"), None, at(3));
            assert_eq!(refusal(said.await), erased, "{sender}");
        }
        for initiator in [Initiator::Customer, Initiator::Partner] {
            let new = StartChat {
                initiator,
                subject: Subject::Order(id(103)),
                customer: None,
            };
            assert_eq!(refusal(store.start_chat(shop(), new, None, at(3)).await), erased);
        }
        let there = store.start_chat(shop(), order(100), None, at(3)).await;
        assert!(!there.expect("the chat that there is").value.created);
        let dispute = store.start_arbitration(shop(), chat, None, at(3));
        assert_eq!(refusal(dispute.await), erased);
        let put = store.register(vec![Registration::Order(an_order(SHOP, 400, 10, "anna"))]);
        let Refusal::AtItem { refusal: put, .. } = refusal(put.await) else {
            panic!("not at an item");
        };
        assert_eq!(*put, erased);
        let same = store.register(vec![Registration::Order(an_order(SHOP, 100, 10, "anna"))]);
        assert_eq!(same.await.expect("a put"), [Put::Unchanged]);
        assert_eq!(
            store.unanswered_chats(shop(), later, 10).await.expect("a list"),
            []
        );
        let text = MessageText::new("Please answer").expect("a text");
        assert!(
            !store
                .remind(shop(), chat, later, text, later)
                .await
                .expect("an answer")
        );
        assert!(
            store
                .finish_idle(shop(), chat, later, later)
                .await
                .expect("an answer")
        );

        let anew = || store.register(vec![Registration::Customer(a_customer("anna", "Анна"))]);
        let Refusal::AtItem {
            refusal: under_way, ..
        } = refusal(anew().await)
        else {
            panic!("not at an item");
        };
        assert_eq!(*under_way, Refusal::Conflict(Conflict::ErasureUnderWay));
        erase(store, "anna").await;
        assert_eq!(anew().await.expect("a put"), [Put::Changed]);
        let anna = store
            .customer(&person("anna"))
            .await
            .expect("a read")
            .expect("Anna");
        assert_eq!(anna, a_customer("anna", "Анна"));
        say(store, shop(), chat, Sender::Customer, "me again").await;
        let texts = all_messages(store, chat).await;
        assert!(
            texts[0].text.as_ref().is_some_and(|text| text.is_erased()),
            "what is gone is gone"
        );
        let again = begin(store, "anna", at(3 * HOUR)).await;
        assert_eq!(
            (again.asked_at, again.finished_at),
            (at(3 * HOUR), None),
            "and once more"
        );
        erase(store, "anna").await;
        check(store).await;
    });
}

#[test]
fn the_marketplaces_people_can_settle_what_is_open() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let dispute = arbitration(store, chat).await.id;
        begin(store, "anna", at(2)).await;
        erase(store, "anna").await;
        say(store, shop(), dispute, Sender::Support, "We pay back").await;
        change(store, dispute, prilavok_store::ChatChange::Finish).await;
        check(store).await;
    });
}

#[test]
fn who_is_not_there_cannot_be_erased_and_who_has_no_chats_is_at_once() {
    on_every_populated_store(async |store| {
        let nobody = store.erase_customer(&person("nobody"), at(0)).await;
        assert_eq!(
            refusal(nobody),
            Refusal::NotFound(Entity::Customer(person("nobody")))
        );
        assert_eq!(store.erasure(&person("anna")).await.expect("a read"), None);
        assert!(
            !store
                .erase_some(&person("anna"), at(0))
                .await
                .expect("a step")
                .more
        );
        assert_eq!(begin(store, "boris", at(1)).await.chats, 0);
        assert_eq!(erase(store, "boris").await, Vec::<String>::new());
        let done = store
            .erasure(&person("boris"))
            .await
            .expect("a read")
            .expect("an erasure");
        assert_eq!(done.finished_at, Some(at(HOUR)));
    });
}

#[test]
fn all_of_a_customer_is_listed_over_all_businesses() {
    on_every_populated_store(async |store| {
        let new = [
            Registration::Order(an_order(OTHER, 300, 20, "anna")),
            Registration::Return(a_return(OTHER, 301, 300)),
        ];
        store.register(new.to_vec()).await.expect("puts");
        let mut chats = Vec::new();
        for what in [order(100), returned(200), direct("anna")] {
            chats.push((shop(), new_chat(store, what).await.id));
        }
        new_chat(store, order(101)).await;
        chats.push((other(), start(store, other(), order(300), at(0)).await.chat.id));
        chats.sort_unstable();
        let anna = person("anna");
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.chats_of_customer(&anna, after, 2).await.expect("a page");
            let Some(last) = page.last() else { break };
            after = Some((last.business, last.id));
            found.extend(page.iter().map(|chat| (chat.business, chat.id)));
        }
        assert_eq!(found, chats);
        let (mut orders, mut after) = (Vec::new(), None);
        while let [first] = &store.orders_of_customer(&anna, after, 1).await.expect("a page")[..] {
            after = Some((first.business, first.id));
            orders.push((first.business.get(), first.id.get()));
        }
        assert_eq!(orders, [(1, 100), (1, 102), (1, 103), (2, 300)]);
        let (mut returns, mut after) = (Vec::new(), None);
        while let [first] = &store.returns_of_customer(&anna, after, 1).await.expect("a page")[..] {
            after = Some((first.business, first.order, first.id));
            returns.push((first.business.get(), first.id.get()));
        }
        assert_eq!(returns, [(1, 200), (1, 201), (1, 202), (2, 301)]);
        assert_eq!(
            store
                .orders_of_customer(&person("nobody"), None, 9)
                .await
                .expect("a page"),
            []
        );
    });
}
