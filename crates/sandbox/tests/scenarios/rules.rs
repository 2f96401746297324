//! Rules: what happens whenever the partner says something.

use crate::shop::{MINUTE, SECOND, Shop};

const RULES: &str = r#"
steps:
  - customer: { about: boots, says: "Сапоги?" }
  - customer: { about: hat, says: "Шапка?" }
  - wait: 1h
rules:
  - when: { about: boots, matching: "трек" }
    after: 2s
    do: [ { customer: { about: boots, says: "Спасибо за трек" } } ]
  - when: { matching: "цена" }
    times: 2
    do:
      - customer: { about: anna, says: "Дорого" }
      - reply: { about: anna, within: 5m, otherwise: [ { customer: { about: anna, says: "Молчите?" } } ] }
"#;

#[tokio::test]
async fn rules_fire_in_any_order() {
    for boots_first in [true, false] {
        let (shop, cast) = Shop::playing(RULES).await;
        let business = cast.business;
        let mut says = [(0, "трек 17"), (1, "цена 5")];
        if !boots_first {
            says.reverse();
        }
        for (chat, text) in says {
            shop.partner_says(business, chat, text).await;
        }
        assert_eq!(shop.due_in(), Some(2 * SECOND));
        shop.later(2 * SECOND).await;
        assert_eq!(
            shop.talk(business).await,
            [
                "ORDER CHAT WAITING_FOR_PARTNER | CUSTOMER: Сапоги? | PARTNER: трек 17 | CUSTOMER: Спасибо за трек",
                "ORDER CHAT WAITING_FOR_CUSTOMER | CUSTOMER: Шапка? | PARTNER: цена 5",
                "DIRECT CHAT WAITING_FOR_PARTNER | CUSTOMER: Дорого",
            ]
        );
        shop.later(5 * MINUTE - 2 * SECOND).await;
        let talk = shop.talk(business).await;
        assert!(talk[2].ends_with("Дорого | CUSTOMER: Молчите?"), "{talk:?}");
    }
}

#[tokio::test]
async fn rules_fire_so_often_and_for_what_they_mean_only() {
    let (shop, cast) = Shop::playing(RULES).await;
    let business = cast.business;
    for text in ["цена 1", "трек", "цена 2", "цена 3"] {
        shop.partner_says(business, 1, text).await;
    }
    assert_eq!(
        shop.talk(business).await[2],
        "DIRECT CHAT WAITING_FOR_PARTNER | CUSTOMER: Дорого | CUSTOMER: Дорого"
    );
    assert_eq!(
        shop.talk(business).await[0],
        "ORDER CHAT WAITING_FOR_PARTNER | CUSTOMER: Сапоги?"
    );
    for _ in 0..2 {
        shop.partner_says(business, 0, "трек").await;
    }
    shop.later(2 * SECOND).await;
    let talk = shop.talk(business).await;
    assert_eq!(talk[0].matches("Спасибо за трек").count(), 1, "{talk:?}");
}

#[tokio::test]
async fn a_rule_for_disputes_leaves_ordinary_chats_alone() {
    let (shop, cast) = Shop::playing(
        r#"
steps:
  - dispute: { about: boots, says: "Спор" }
  - wait: 1h
rules:
  - when: { about: boots, dispute: true }
    do: [ { decide: { about: boots, says: "Решено" } } ]
"#,
    )
    .await;
    shop.partner_says(cast.business, 0, "Здравствуйте").await;
    assert!(shop.talk(cast.business).await[1].contains("WAITING_FOR_ARBITER"));
    shop.partner_says(cast.business, 1, "Согласны").await;
    assert!(shop.talk(cast.business).await[1].contains("FINISHED"));
}
