//! The scenarios that come with Prilavok are played to their ends: a good partner passes each, a silent one none.

use prilavok_sandbox::scenario::{SHIPPED, Scenario, State};

use crate::partner::Partner;
use crate::shop::Shop;

/// A partner that does what is expected of it in every scenario.
fn good(kind: &str, sender: &str, text: &str) -> Option<&'static str> {
    let says = |words: &str| text.contains(words);
    Some(match (kind, sender) {
        _ if says("Когда отправите") => {
            "Добрый день! Отправили сегодня утром, трек-номер RU123456789."
        }
        _ if says("Вы там совсем") => "Простите нас, пожалуйста! Так быть не должно.",
        _ if says("Деньги вернёте") => "Вернём полностью, возврат уже оформили.",
        ("ARBITRAGE", "SUPPORT") => "Прикладываю видео упаковки и акт проверки.",
        _ if says("Когда придут деньги") => "Деньги вернутся на карту в течение трёх дней.",
        _ if says("водный столб") => "Добрый вечер! Водный столб 5000 мм, ливень держит.",
        (_, "MARKET") if says("Заявка на возврат") => {
            "Фото посмотрели, брак подтверждаем. Возврат одобрен."
        }
        _ if says("матрас") => "Здравствуйте! Матрас в комплекте.",
        _ if says("какой службой") => "Отправляли СДЭКом, вчера.",
        // Slow, but not deaf: it answers when it is reminded.
        _ if says("нет педалей") => return None,
        (_, "MARKET") if says("ждёт ответа") => "Извините за ожидание! Педали вышлем завтра.",
        _ if says("дважды списали") => "Второе списание нашли, деньги вернём сегодня.",
        _ => "Здравствуйте! Спасибо, что написали.",
    })
}

fn silent(_: &str, _: &str, _: &str) -> Option<&'static str> {
    None
}

/// Plays a scenario to its end; answers how it ended.
async fn play(
    name: &str,
    partner: impl Fn(Partner) -> Partner,
    starts: bool,
    script: crate::partner::Script,
) -> State {
    let shop = Shop::open().await;
    let scenario = match name {
        // The crowd itself is tried elsewhere.
        "flood" => {
            let (_, text) = SHIPPED
                .iter()
                .find(|(shipped, _)| *shipped == name)
                .expect("shipped");
            Scenario::parse(name, &text.replace("10000", "5")).expect("it is right")
        }
        name => Scenario::shipped(name).expect("shipped"),
    };
    let cast = shop.begin(&scenario).await;
    let mut partner = partner(Partner::of(&shop, &cast, script));
    if name == "partner-starts" && starts {
        let order = cast.orders["set"];
        partner
            .start(order, "Здравствуйте! Синего набора нет в наличии, есть зелёный.")
            .await;
    }
    loop {
        shop.run().await;
        if partner.look().await {
            continue;
        }
        match shop.due_in() {
            Some(ahead) => shop.clock.advance(ahead),
            None => return shop.report().state,
        }
    }
}

#[tokio::test]
async fn a_good_partner_passes_every_scenario() {
    for (name, _) in SHIPPED {
        assert_eq!(play(name, |it| it, true, good).await, State::Passed, "{name}");
    }
}

#[tokio::test]
async fn a_silent_partner_fails_every_scenario() {
    for (name, _) in SHIPPED {
        let state = play(name, |it| it, false, silent).await;
        assert!(matches!(state, State::Failed { .. }), "{name}: {state:?}");
    }
}

#[tokio::test]
async fn a_partner_that_answers_twice_fails_duplicates() {
    let twice = |mut partner: Partner| {
        partner.times = 2;
        partner
    };
    let State::Failed { reasons } = play("duplicate-notifications", twice, true, good).await else {
        panic!("it answered twice");
    };
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].contains("the partner said it 3 times"), "{reasons:?}");
}

#[test]
fn names_that_are_not_shipped() {
    assert!(Scenario::shipped("angry-seller").is_none());
    let duplicate = serde_json::json!({"notification": "CHAT_MESSAGE_SENT", "do": "duplicate"});
    let scenario = Scenario::shipped("duplicate-notifications").expect("shipped");
    assert_eq!(scenario.faults(), [duplicate]);
}
