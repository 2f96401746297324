//! The pictures in the documentation: `just screenshots`.

use std::path::Path;

use crate::browser::{Browser, Reader};
use crate::market::Market;
use crate::receiver::Receiver;

/// Takes a picture of the window.
fn take(browser: &Browser, folder: &Path, name: &str) {
    browser.wait("return document.readyState === 'complete' && document.fonts.status === 'loaded'");
    let picture = browser.screenshot();
    println!("{name}: {} bytes", picture.len());
    std::fs::write(folder.join(format!("{name}.png")), picture).expect("written");
}

/// A dispute in which both sides have written; answers the path of its page.
fn dispute(market: &Market) -> String {
    let dispute = market.dispute(1);
    market.customer_writes(
        dispute,
        "Ваза пришла с трещиной, продавец обещал замену и две недели молчит. Верните деньги.",
    );
    let answer = market
        .request(
            reqwest::Method::POST,
            &format!("/v2/businesses/1/chats/message?chatId={dispute}"),
        )
        .header("Api-Key", &market.key)
        .json(&serde_json::json!({"message": "Замена уже в пути, трек-номер пришлём сегодня."}))
        .send();
    assert!(answer.expect("an answer").status().is_success());
    format!("/ui/arbiter/1/{dispute}")
}

#[test]
#[ignore = "writes docs/screenshots anew"]
fn screenshots_of_the_marketplaces_pages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/screenshots");
    std::fs::create_dir_all(&folder).expect("a folder");
    let market = Market::with(&[
        ("REQUEST_LOG__RECORD", "all"),
        ("NOTIFICATIONS__ALLOW_PRIVATE", "true"),
    ]);
    let receiver = Receiver::start();
    let made = market.operator(
        reqwest::Method::POST,
        "/businesses/1/subscriptions",
        &serde_json::json!({"name": "crm", "url": receiver.url()}),
    );
    let subscription = format!(
        "/ui/operator/businesses/1/subscriptions/{}",
        made["subscriptionId"]
    );
    let dispute = dispute(&market);
    receiver.events(3);
    for path in [
        "/v2/businesses/1/chat?chatId=1",
        "/v2/businesses/1/chat?chatId=999",
    ] {
        let call = market.request(reqwest::Method::GET, path);
        call.header("Api-Key", &market.key).send().expect("an answer");
    }
    let wide = Reader {
        height: 720,
        ..Reader::default()
    };
    let narrow = Reader {
        width: 360,
        height: 640,
        ..wide
    };
    let dark = |reader: Reader| Reader { dark: true, ..reader };
    let in_language = |language, reader: Reader| Reader { language, ..reader };
    for (name, reader, path) in [
        ("desk-en", wide, &*dispute),
        ("desk-ru-dark", in_language("ru", dark(wide)), &dispute),
        ("desk-zh", in_language("zh", wide), &dispute),
        ("desk-narrow-dark", dark(narrow), "/ui/arbiter"),
        ("dispute-narrow", in_language("zh", narrow), &dispute),
        ("businesses", wide, "/ui/operator"),
        ("subscription", wide, &subscription),
        ("business", wide, "/ui/operator/businesses/1"),
        ("requests-narrow", narrow, "/ui/operator/requests"),
        ("requests", wide, "/ui/operator/requests"),
        ("deliveries", wide, "/ui/operator/businesses/1/deliveries"),
        ("limits", wide, "/ui/operator/limits"),
    ] {
        take(&Browser::of_operator(&market, reader, path), &folder, name);
    }
    let desk = Browser::of_operator(&market, wide, &dispute);
    desk.find(".settle summary").click(&desk);
    desk.find("input[value=BUYER]").click(&desk);
    let text = "Деньги за вазу вернём покупателю до пятницы. Продавец может забрать её в пункте выдачи.";
    desk.find("#verdict-text").fill(&desk, text);
    desk.find(".settle button").click(&desk);
    desk.find(".verdict");
    take(&desk, &folder, "verdict");
    desk.go("/ui/operator/businesses/1");
    desk.find("#key-name").fill(&desk, "crm");
    desk.find("form[action$='/keys'] button").click(&desk);
    desk.find("#new-secret");
    desk.go("/ui/operator/audit");
    take(&desk, &folder, "audit");
    desk.go("/ui/operator/requests?status=404");
    desk.find("[data-requests] a").click(&desk);
    desk.find("[data-curl]");
    take(&desk, &folder, "request");
}

#[test]
#[ignore = "writes docs/screenshots anew"]
fn screenshots() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/screenshots");
    std::fs::create_dir_all(&folder).expect("a folder");
    let market = Market::open();
    market.operator(
        reqwest::Method::POST,
        "/businesses/1/chats/1/arbitration",
        &serde_json::json!({}),
    );
    let writer = Browser::signed_in(&market, Reader::default(), "/ui/replies");
    for (name, text) in [
        ("В пути", "Здравствуйте, {customer}! Заказ {order} уже в пути."),
        (
            "Возврат принят",
            "{customer}, мы получили возврат по заказу {order} и вернём деньги до конца недели.",
        ),
    ] {
        writer.find("#name").fill(&writer, name);
        writer.find("#text").fill(&writer, text);
        writer.find(".panel button").click(&writer);
        writer.wait_for_text(".plain-list", name);
    }
    drop(writer);
    let wide = Reader {
        height: 660,
        ..Reader::default()
    };
    let narrow = Reader {
        width: 360,
        height: 640,
        ..wide
    };
    let dark = |reader: Reader| Reader { dark: true, ..reader };
    let in_language = |language, reader: Reader| Reader { language, ..reader };
    for (name, reader, path) in [
        ("sign-in", wide, ""),
        ("inbox-en", wide, "/ui/"),
        ("chat-en", wide, "/ui/chats/1"),
        ("chat-ru-dark", in_language("ru", dark(wide)), "/ui/chats/1"),
        ("chat-zh", in_language("zh", wide), "/ui/chats/1"),
        ("inbox-narrow", in_language("ru", narrow), "/ui/"),
        ("chat-narrow-dark", in_language("zh", dark(narrow)), "/ui/chats/1"),
        ("replies", wide, "/ui/replies"),
    ] {
        let browser = match path {
            "" => Browser::open(&market.url, reader),
            _ => Browser::signed_in(&market, reader, path),
        };
        if path.is_empty() {
            browser.go("/ui/sign-in");
        }
        take(&browser, &folder, name);
    }
}
