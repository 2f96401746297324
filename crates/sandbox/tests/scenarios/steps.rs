//! What each step does.

use std::collections::BTreeSet;
use std::sync::Arc;

use prilavok_sandbox::scenario::{Director, Scenario, State, What};
use serde_json::json;

use crate::shop::{HOUR, MINUTE, SECOND, Shop, scenario};

#[tokio::test]
async fn everybody_writes_and_the_chat_is_started_on_first_use() {
    let (shop, cast) = Shop::playing(
        r#"
steps:
  - customer: { about: boots, says: "Где заказ?" }
  - market: { about: boots, says: "Спросили продавца." }
  - support: { about: boots, says: "Продавец, ответьте.", wait_for: PARTNER }
  - customer: { about: boots-back, sends: [picture, picture] }
  - customer: { about: anna, says: "Есть размер 40?", sends: [picture] }
  - support: { about: anna, says: "Подождите.", wait_for: CUSTOMER }
"#,
    )
    .await;
    assert_eq!(
        shop.talk(cast.business).await,
        [
            "ORDER CHAT WAITING_FOR_PARTNER | CUSTOMER: Где заказ? | MARKET: Спросили продавца. | SUPPORT: Продавец, \
             ответьте.",
            "RETURN CHAT WAITING_FOR_PARTNER | CUSTOMER: **",
            "DIRECT CHAT WAITING_FOR_CUSTOMER | CUSTOMER: Есть размер 40?* | SUPPORT: Подождите.",
        ]
    );
    assert_eq!(shop.report().state, State::Passed);
    assert!(shop.director.finished());
    assert_eq!(shop.due_in(), None);
}

#[tokio::test]
async fn disputes_are_started_and_decided_escalation_and_end() {
    let (shop, cast) = Shop::playing(
        r#"
steps:
  - dispute: { about: boots-back, says: "Брак!", sends: [picture] }
  - support: { about: boots-back, dispute: true, says: "Продавец?", wait_for: PARTNER }
  - wait: 1m
  - decide: { about: boots-back, says: "Деньги покупателю." }
  - dispute: { about: boots-back }
  - customer: { about: boots-back, dispute: true, says: "И ещё." }
  - escalate: { about: hat }
  - wait: 1m
  - finish: { about: hat }
"#,
    )
    .await;
    let business = cast.business;
    assert_eq!(
        shop.talk(business).await,
        [
            "RETURN CHAT NEW | ",
            "RETURN ARBITRAGE WAITING_FOR_PARTNER | CUSTOMER: Брак!* | SUPPORT: Продавец?",
        ]
    );
    shop.later(MINUTE).await;
    assert_eq!(
        shop.talk(business).await,
        [
            "RETURN CHAT NEW | ",
            "RETURN ARBITRAGE FINISHED | CUSTOMER: Брак!* | SUPPORT: Продавец? | SUPPORT: Деньги покупателю.",
            "RETURN ARBITRAGE WAITING_FOR_ARBITER | CUSTOMER: И ещё.",
            "ORDER CHAT WAITING_FOR_MARKET | ",
        ]
    );
    shop.later(MINUTE).await;
    assert_eq!(shop.talk(business).await[3], "ORDER CHAT FINISHED | ");
}

#[tokio::test]
async fn time_is_the_clocks() {
    let (shop, cast) = Shop::playing(
        r#"
steps:
  - wait: 2s
  - customer: { about: hat, says: "раз" }
  - until: "03:00"
  - customer: { about: hat, says: "два" }
  - until: "03:00+04:00"
  - customer: { about: hat, says: "три" }
"#,
    )
    .await;
    assert_eq!(shop.due_in(), Some(2 * SECOND));
    shop.later(2 * SECOND - 1).await;
    assert!(shop.talk(cast.business).await.is_empty());
    shop.later(1).await;
    assert_eq!(
        shop.talk(cast.business).await,
        ["ORDER CHAT WAITING_FOR_PARTNER | CUSTOMER: раз"]
    );
    // It is 13:00:02 at the server's offset of +03:00.
    assert_eq!(shop.due_in(), Some(14 * HOUR - 2 * SECOND));
    shop.later(14 * HOUR - 2 * SECOND).await;
    assert_eq!(shop.due_in(), Some(23 * HOUR));
    shop.later(23 * HOUR).await;
    let all = "ORDER CHAT WAITING_FOR_PARTNER | CUSTOMER: раз | CUSTOMER: два | CUSTOMER: три";
    assert_eq!(shop.talk(cast.business).await, [all]);
}

const REPLY: &str = r#"
steps:
  - customer: { about: hat, says: "Трек?" }
  - wait: 1m
  - reply:
      about: hat
      within: 1h
      matching: "(?i)трек"
      then:
        - customer: { about: hat, says: "Спасибо" }
        - reply: { about: hat, within: 1h, then: [ { customer: { about: hat, says: "Ок" } } ] }
      otherwise:
        - dispute: { about: hat }
  - finish: { about: hat }
"#;

#[tokio::test]
async fn an_answer_in_time_goes_on_with_then() {
    let (shop, cast) = Shop::playing(REPLY).await;
    shop.later(MINUTE).await;
    assert_eq!(shop.due_in(), Some(HOUR));
    shop.partner_says(cast.business, 0, "Минутку").await;
    shop.clock.advance(HOUR);
    // In the last moment, which counts.
    shop.partner_says(cast.business, 0, "ТРЕК 17").await;
    shop.partner_says(cast.business, 0, "Всегда рады").await;
    assert_eq!(
        shop.talk(cast.business).await,
        [
            "ORDER CHAT FINISHED | CUSTOMER: Трек? | PARTNER: Минутку | PARTNER: ТРЕК 17 | CUSTOMER: Спасибо | \
          PARTNER: Всегда рады | CUSTOMER: Ок"
        ]
    );
}

#[tokio::test]
async fn an_answer_that_came_before_it_was_waited_for_counts() {
    let (shop, cast) = Shop::playing(REPLY).await;
    shop.partner_says(cast.business, 0, "трек 17").await;
    assert_eq!(
        shop.talk(cast.business).await,
        ["ORDER CHAT WAITING_FOR_CUSTOMER | CUSTOMER: Трек? | PARTNER: трек 17"]
    );
    shop.later(MINUTE).await;
    let talk = shop.talk(cast.business).await;
    assert!(talk[0].ends_with("CUSTOMER: Спасибо"), "{talk:?}");
    // One answer is not taken for two.
    assert_eq!(shop.due_in(), Some(HOUR));
}

#[tokio::test]
async fn no_answer_in_time_goes_on_with_otherwise() {
    let (shop, cast) = Shop::playing(REPLY).await;
    shop.later(MINUTE).await;
    shop.partner_says(cast.business, 0, "Минутку").await;
    shop.later(HOUR - 1).await;
    let waiting = shop.report().waiting;
    assert_eq!(
        waiting,
        ["line 9: for an answer matching `(?i)трек` in the chat about hat, until 2025-01-16T11:01:00.000Z"]
    );
    let happened = shop.later(1).await;
    let whats: Vec<_> = happened.into_iter().map(|it| (it.line, it.what)).collect();
    let about = "hat".to_owned();
    assert_eq!(
        whats[0],
        (
            Some(9),
            What::NoReply {
                about,
                dispute: false
            }
        )
    );
    assert!(matches!(whats[1].1, What::DisputeStarted { .. }), "{whats:?}");
    assert_eq!(
        shop.talk(cast.business).await,
        [
            "ORDER CHAT FINISHED | CUSTOMER: Трек? | PARTNER: Минутку",
            "ORDER ARBITRAGE WAITING_FOR_ARBITER | "
        ]
    );
}

#[tokio::test]
async fn an_answer_in_another_chat_is_none() {
    let (shop, cast) = Shop::playing(
        r#"
steps:
  - customer: { about: hat, says: "Раз" }
  - dispute: { about: hat, says: "Два" }
  - reply: { about: hat, dispute: true, within: 1h, then: [ { decide: { about: hat, says: "Три" } } ] }
"#,
    )
    .await;
    shop.partner_says(cast.business, 0, "Здесь").await;
    assert_eq!(shop.report().state, State::Running);
    shop.partner_says(cast.business, 1, "И здесь").await;
    assert_eq!(
        shop.talk(cast.business).await[1],
        "ORDER ARBITRAGE FINISHED | CUSTOMER: Два | PARTNER: И здесь | SUPPORT: Три"
    );
}

#[tokio::test]
async fn a_step_that_cannot_be_done_ends_the_scenario() {
    for (step, reason) in [
        (
            "support: { about: hat, dispute: true, says: А }",
            "line 7: support: there is no dispute about hat yet",
        ),
        (
            "finish: { about: hat }",
            "line 7: finish: The chat is already finished",
        ),
        (
            "support: { about: hat, says: А }",
            "line 7: support: The chat is finished: SUPPORT cannot write to it",
        ),
    ] {
        let steps = format!(
            "steps:\n  - finish: {{ about: hat }}\n  - {step}\n  - customer: {{ about: boots, says: Б }}\n\
             expect: [ answered: {{ within: 1h }} ]\n"
        );
        let (shop, cast) = Shop::playing(&steps).await;
        assert_eq!(shop.reasons(), [reason]);
        assert!(shop.director.finished());
        assert_eq!(
            shop.chats(cast.business).await.len(),
            1,
            "it went on after {step}"
        );
    }
}

#[tokio::test]
async fn each_scenario_has_a_business_of_its_own() {
    let shop = Shop::open().await;
    let parts = "steps: [ customer: { about: hat, says: Где? } ]\nexpect: [ partner: { about: hat } ]";
    let text = format!("business: {{ name: Ромашка, placement: DBS }}\n{parts}");
    let (first, second) = (
        shop.begin(&scenario(&text)).await,
        shop.begin(&scenario(&text)).await,
    );
    assert_ne!(first.business, second.business);
    assert_ne!(first.api_key, second.api_key);
    for cast in [&first, &second] {
        assert_eq!(
            shop.talk(cast.business).await,
            ["ORDER CHAT WAITING_FOR_PARTNER | CUSTOMER: Где?"]
        );
        assert_eq!(cast.campaigns.keys().collect::<Vec<_>>(), [&"DBS"]);
        let business = shop
            .app
            .store
            .business(cast.business)
            .await
            .expect("read")
            .expect("registered");
        assert_eq!(business.name.as_str(), "Ромашка");
    }
    let shown = serde_json::to_value(&first).expect("JSON");
    let business = first.business.get();
    assert_eq!(shown["businessId"], business);
    assert_eq!(shown["orders"], serde_json::json!({"boots": 1, "hat": 2}));
    assert_eq!(shown["customers"]["anna"], format!("anna-{business}"));
}

#[tokio::test]
async fn a_scenario_in_a_file_sends_files_beside_it() {
    let shop = Shop::open().await;
    let text = "title: Files\ncustomers: { anna: Анна }\nsteps: [ customer: { about: anna, sends: [photos/чек.txt] } ]";
    let folder = shop.folder.path().join("photos");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("чек.txt"), "42 рубля").expect("a file");
    let path = shop.folder.path().join("files.yaml");
    std::fs::write(&path, text).expect("a file");
    let cast = shop.begin(&Scenario::read(&path).expect("it is right")).await;
    let chat = shop.chats(cast.business).await[0].id;
    let range = prilavok_store::MessageRange::default();
    let messages = shop
        .app
        .store
        .messages(cast.business, chat, range, 10)
        .await
        .expect("read");
    let file = &messages.items[0].files[0];
    assert_eq!((file.name.as_str(), file.size), ("чек.txt", 13));
}

#[tokio::test]
async fn what_happened_and_the_report_as_json() {
    let shop = Shop::open().await;
    let text = "steps: [ customer: { about: hat, says: Раз } ]\nexpect: [ partner: { about: hat } ]";
    let cast = shop.director.begin(&scenario(text)).await.expect("it begins");
    assert_eq!(shop.due_in(), Some(0));
    assert!(!shop.director.finished());
    let happened = serde_json::to_value(shop.run().await).expect("JSON");
    let (at, business) = ("2025-01-16T10:00:00.000Z", cast.business.get());
    let chat = shop.chats(cast.business).await[0].id.get();
    let expectation = "the partner says something about hat";
    let common = |rest: serde_json::Value| {
        let mut all = json!({"at": at, "scenario": "test", "businessId": business});
        let fields = all.as_object_mut().expect("an object");
        fields.extend(rest.as_object().expect("an object").clone());
        all
    };
    assert_eq!(
        happened,
        json!([
            common(
                json!({"line": 5, "what": "wrote", "sender": "CUSTOMER", "about": "hat", "dispute": false,
                "chatId": chat, "text": "Раз", "files": 0})
            ),
            common(json!({"what": "stepsOver"})),
            common(
                json!({"line": 6, "what": "judged", "expectation": expectation, "verdict": "failed",
                "reason": "the partner never said it"})
            ),
        ])
    );
    assert_eq!(
        serde_json::to_value(shop.report()).expect("JSON"),
        json!({"scenario": "test", "title": "A test", "businessId": business, "beganAt": at, "state": "failed",
            "reasons": [format!("line 6: {expectation}: the partner never said it")], "waiting": [],
            "expectations": [{"line": 6, "expectation": expectation, "verdict": "failed",
                "reason": "the partner never said it"}]})
    );
}

#[tokio::test]
async fn scenarios_run_side_by_side_from_any_task() {
    let shop = Shop::open().await;
    let director = Arc::new(Director::new(Arc::clone(&shop.app)));
    let tasks = (0..4).map(|number| {
        let director = Arc::clone(&director);
        tokio::spawn(async move {
            let text = format!("steps: [ wait: {number}s, customer: {{ about: hat, says: Раз }} ]");
            let cast = director.begin(&scenario(&text)).await.expect("it begins");
            director.run_due().await.expect("it runs");
            cast.business
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut businesses = BTreeSet::new();
    for task in tasks {
        businesses.insert(task.await.expect("it is done"));
    }
    assert_eq!(businesses.len(), 4);
    let due = director.next_due().expect("three wait");
    assert_eq!(due.as_millis() - shop.app.now().as_millis(), SECOND);
    shop.clock.advance(3 * SECOND);
    let happened = director.run_due().await.expect("it runs");
    let wrote = happened.iter().filter(|it| matches!(it.what, What::Wrote { .. }));
    assert_eq!(wrote.count(), 3);
    assert!(director.finished());
    assert!(
        director
            .report()
            .iter()
            .all(|report| report.state == State::Passed)
    );
}
