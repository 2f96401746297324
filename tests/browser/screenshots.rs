//! The pictures in the documentation: `just screenshots`.

use std::path::Path;

use crate::browser::{Browser, Reader};
use crate::market::Market;

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
        browser.wait("return document.readyState === 'complete' && document.fonts.status === 'loaded'");
        let picture = browser.screenshot();
        println!("{name}: {} bytes", picture.len());
        std::fs::write(folder.join(format!("{name}.png")), picture).expect("written");
    }
}
