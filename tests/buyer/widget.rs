//! The widget in a browser: in a shop's page, when sending fails, with a dispute, and with all that outside text may try. Who it
//! is for is in [`widget_readers`](crate::widget_readers).

use prilavok_domain::{BusinessId, ChatId, FileName, MessageText, Sender, Timestamp};
use prilavok_server::secrets;
use prilavok_store::{NewMessage, StoredFile, Subject};
use reqwest::Method;
use serde_json::{Value, json};

use crate::browser::{Browser, Reader, key};
use crate::market::*;

/// What would run, load or mislead if it were taken for markup or followed.
const ATTACKS: [&str; 14] = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "\"><svg onload=window.hacked=1>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "javascript:window.hacked=1",
    "data:text/html,<script>opener.hacked=1</script>",
    "https://x.example/\"onmouseover=\"window.hacked=1",
    "https://x.example/'><script>window.hacked=1</script>",
    "<a href='javascript:window.hacked=1'>click</a>",
    "<math><mtext><style><img src onerror=window.hacked=1>",
    "{{constructor.constructor('window.hacked=1')()}}",
    "<style>*{display:none}</style>",
    "&lt;script&gt;window.hacked=1&lt;/script&gt;",
    "\u{202e}gpj.exe<b>",
];

pub(crate) fn market() -> Market {
    Market::with("try_out = true\nsends_per_minute = \"unlimited\"")
}

pub(crate) fn order(id: i64) -> Subject {
    Subject::Order(id.try_into().expect("an id"))
}

/// A reader with a phone.
pub(crate) fn phone(language: &'static str) -> Reader {
    Reader {
        language,
        width: 360,
        height: 640,
        ..Reader::default()
    }
}

impl Browser {
    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn until(&self, expression: &str) {
        self.wait(&format!("return Boolean({expression})"));
    }

    pub(crate) fn click(&self, css: &str) {
        self.find(css).click(self);
    }

    /// Goes on in the only frame of the page.
    pub(crate) fn enter_frame(&self) {
        self.call(&Method::POST, "/frame", &json!({"id": 0}));
    }

    fn leave_frame(&self) {
        self.call(&Method::POST, "/frame/parent", &json!({}));
    }
}

impl Market {
    pub(crate) fn browser(&self, language: &'static str) -> Browser {
        Browser::open(&format!("http://{}", self.address), phone(language))
    }

    pub(crate) fn texts(&self, chat: ChatId) -> Vec<String> {
        let shop = BusinessId::new(1).expect("an id");
        let page = self.store().messages(shop, chat, Default::default(), 100);
        let page = self.block_on(page).expect("a page");
        let texts = page.items.into_iter();
        texts
            .map(|it| it.text.map_or_else(String::new, |text| text.as_str().to_owned()))
            .collect()
    }
}

/// The widget alone, open at anna's chat about order 1.
pub(crate) fn at_chat(market: &Market, language: &'static str) -> (Browser, ChatId) {
    let chat = market.start(1, order(1), None);
    market.says(1, chat, Sender::Partner, "Добрый день!");
    let browser = market.browser(language);
    browser.go(&format!("/ui/widget#token={}", token(1, "anna")));
    browser.click("#chats button");
    browser.until("document.querySelectorAll('.message').length === 1");
    (browser, chat)
}

#[test]
fn pages_come_with_their_policies() {
    let market = Market::with("frame_ancestors = [\"https://shop.example\", \"https://*.shop.example\"]");
    let page = Answer::to(market.request(Method::GET, "/ui/widget"));
    let policy = page.header("content-security-policy");
    assert!(
        policy.ends_with("frame-ancestors https://shop.example https://*.shop.example"),
        "{policy}"
    );
    assert!(policy.contains("default-src 'none'; script-src 'self'; style-src 'self'"));
    assert!(!policy.contains("unsafe"));
    let html = String::from_utf8_lossy(&page.body).into_owned();
    assert!(!html.contains("<style") && !html.contains("style=") && !html.contains(" on"));
    let loader = Answer::to(market.request(Method::GET, "/ui/widget.js"));
    assert_eq!(loader.header("cross-origin-resource-policy"), "cross-origin");
    let example = Answer::to(market.request(Method::GET, "/ui/widget/example"));
    assert_eq!(example.status, 404, "only to try out");
    let closed = Answer::to(Market::open().request(Method::GET, "/ui/widget"));
    assert!(
        closed
            .header("content-security-policy")
            .ends_with("frame-ancestors 'none'")
    );
    // Who may have the widget in a frame may not have the counter, which has the rest of the paths.
    for path in ["/ui/sign-in", "/ui/widget/none", "/ui/widgets"] {
        let counter = Answer::to(market.request(Method::GET, path));
        let policy = counter.header("content-security-policy");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(
            counter.header("cross-origin-resource-policy"),
            "same-origin",
            "{path}"
        );
    }
    let mut size = 0;
    for file in [
        "",
        "/widget.css",
        "/widget.js",
        "/api.js",
        "/host.js",
        "/live.js",
        "/log.js",
        "/memory.js",
        "/safe.js",
        "/texts.js",
    ] {
        let answer = Answer::to(market.request(Method::GET, &format!("/ui/widget{file}")));
        assert_eq!(answer.status, 200, "{file}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        size += answer.body.len();
    }
    assert!(size < 150_000, "{size}");
}

#[test]
fn in_a_shops_page_a_buyer_asks_and_is_answered() {
    let market = market();
    let browser = market.browser("en");
    browser.go(&format!("/ui/widget/example#token={}", token(1, "anna")));
    browser.click("body > button");
    browser.until("document.querySelector('iframe')");
    browser.enter_frame();
    browser.click("#start");
    browser.until("document.activeElement.id === 'text'");
    browser.press(&format!(
        "Is it in stock? See https://shop.example/a?b=1.{}",
        key::ENTER
    ));
    browser.until("document.querySelector('.message.own[data-id] a')");
    let link = browser.run(
        "const a = document.querySelector('.message a'); return [a.href, a.rel, a.target, a.textContent]",
    );
    assert_eq!(
        link,
        json!([
            "https://shop.example/a?b=1",
            "noopener noreferrer nofollow",
            "_blank",
            "https://shop.example/a?b=1"
        ])
    );
    let list = market.get(&token(1, "anna"), "/chats").is(200);
    let chat = ChatId::new(list["items"][0]["chatId"].as_i64().expect("an id")).expect("an id");
    assert_eq!(
        market.texts(chat),
        ["Is it in stock? See https://shop.example/a?b=1."]
    );
    market.says(1, chat, Sender::Partner, "Yes, it is");
    browser.until(
        "[...document.querySelectorAll('.message:not(.own) p')].some((p) => p.textContent === 'Yes, it is')",
    );
    browser.until("document.getElementById('status').textContent === 'Waiting for you'");
    browser.click("#close");
    browser.leave_frame();
    browser.until("document.querySelector('iframe').style.display === 'none'");
    browser.until("document.activeElement === document.querySelector('body > button')");
}

#[test]
fn a_token_that_is_over_is_replaced_by_the_page_around() {
    let market = market();
    let chat = market.start(1, order(1), None);
    market.says(1, chat, Sender::Partner, "Добрый день!");
    let browser = market.browser("en");
    browser.go(&format!("/ui/widget/example#token={}", token(1, "anna")));
    browser.click("body > button");
    browser.until("document.querySelector('iframe')");
    browser.enter_frame();
    browser.click("#chats button");
    browser.until("document.querySelectorAll('.message').length === 1");
    market.clock.advance(700_000);
    let mut later = claims(1, "anna");
    (later["iat"], later["exp"]) = (json!(NOW + 700), json!(NOW + 1_300));
    browser.leave_frame();
    let fresh = signed(&later);
    browser.run(&format!(
        "window.asked = 0; window.chatToken = async () => {{ window.asked += 1; return '{fresh}'; }}"
    ));
    browser.enter_frame();
    browser.run("document.getElementById('text').focus()");
    browser.press(&format!("still here{}", key::ENTER));
    browser.until("document.querySelector('.message.own[data-id]')");
    assert_eq!(market.texts(chat), ["Добрый день!", "still here"]);
    browser.leave_frame();
    assert!(
        browser
            .run("return window.asked")
            .as_i64()
            .is_some_and(|asked| asked >= 1)
    );
}

#[test]
fn outside_text_is_text_wherever_it_is_shown() {
    let market = market();
    let chat = market.start(1, order(1), None);
    for attack in ATTACKS {
        let file = StoredFile {
            object: "1/none".to_owned(),
            name: FileName::from_client(attack),
            size: 7,
            media_type: "image/png".to_owned(),
        };
        let new = NewMessage {
            sender: Sender::Partner,
            text: Some(MessageText::new(attack).expect("a text")),
            files: vec![file],
            wait_for: None,
        };
        let shop = BusinessId::new(1).expect("an id");
        let written = market
            .store()
            .append_message(shop, chat, new, None, market.app.now());
        market.block_on(written).expect("a message");
    }
    let browser = market.browser("en");
    browser.go(&format!("/ui/widget#token={}", token(1, "anna")));
    browser.click("#chats button");
    let count = ATTACKS.len();
    browser.until(&format!(
        "document.querySelectorAll('.message').length === {count}"
    ));
    let shown = browser.run("return [...document.querySelectorAll('.message p')].map((p) => p.textContent)");
    assert_eq!(shown, json!(ATTACKS));
    let names =
        browser.run("return [...document.querySelectorAll('.message bdi')].map((b) => b.textContent)");
    let expected: Vec<_> = ATTACKS
        .iter()
        .map(|it| FileName::from_client(it).as_str().to_owned())
        .collect();
    assert_eq!(names, json!(expected));
    // Nothing but what the widget makes itself, and nothing that runs.
    let strange = browser.run(
        "return [...document.querySelectorAll('#log *')].filter((it) =>
             !['DIV', 'P', 'A', 'BDI', 'TIME', 'IMG'].includes(it.tagName)
             || it.getAttributeNames().some((name) => name.startsWith('on') || name === 'style' || name === 'srcdoc'))
             .map((it) => it.outerHTML)",
    );
    assert_eq!(strange, json!([]));
    let addresses = browser.run(
        "return [...document.querySelectorAll('#log a')].filter((a) => !['http:', 'https:'].includes(a.protocol)
             || (a.host !== location.host && a.rel !== 'noopener noreferrer nofollow')).map((a) => a.href)",
    );
    assert_eq!(addresses, json!([]));
    assert_eq!(browser.run("return window.hacked ?? null"), Value::Null);
    assert_eq!(browser.run("return document.documentElement.scrollWidth"), 360);
}

#[test]
fn what_was_not_sent_says_so_and_is_sent_once() {
    let market = market();
    let (browser, chat) = at_chat(&market, "en");
    // The answer is lost, not the message: trying again must not make a second one.
    browser.run(
        "window.whole = window.fetch;
         window.fetch = async (...all) => {
             await window.whole(...all);
             throw new TypeError('lost');
         }",
    );
    browser.press(&format!("once{}", key::ENTER));
    browser.until("document.querySelector('.message.failed')");
    let said = browser.run("return document.querySelector('.message.failed').innerText");
    assert!(said.as_str().is_some_and(|it| it.contains("Not sent.")), "{said}");
    browser.run("window.fetch = window.whole");
    browser.click(".message.failed .retry");
    browser.until("!document.querySelector('[data-key]')");
    browser.until("document.querySelectorAll('.message.own').length === 1");
    assert_eq!(market.texts(chat), ["Добрый день!", "once"]);
}

#[test]
fn a_draft_outlives_the_page_and_a_file_is_sent() {
    let market = market();
    let (browser, chat) = at_chat(&market, "en");
    browser.press("half a thou");
    browser.go("/healthz");
    browser.go(&format!("/ui/widget#token={}", token(1, "anna")));
    browser.click("#chats button");
    browser.until("document.getElementById('text').value === 'half a thou'");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("receipt.txt");
    std::fs::write(&file, "hello").expect("written");
    browser.run("document.getElementById('files').hidden = false");
    browser
        .find("#files")
        .fill(&browser, file.to_str().expect("a path"));
    browser.until("document.querySelector('.message.own[data-id] a.file')");
    let shown = browser.run("return document.querySelector('.message.own a.file').textContent");
    assert_eq!(shown, "receipt.txt, 5 byte");
    assert_eq!(market.texts(chat).len(), 2);
}

#[test]
fn a_dispute_is_opened_after_a_question() {
    let market = market();
    let (browser, _) = at_chat(&market, "ru");
    browser.click("#dispute");
    browser.until("document.getElementById('confirm').open");
    browser.click("#no");
    browser.until("document.activeElement.id === 'dispute'");
    assert_eq!(
        market.get(&token(1, "anna"), "/chats").is(200)["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    browser.click("#dispute");
    browser.click("#yes");
    browser.until("document.getElementById('title').textContent === 'Спор: Заказ 1'");
    browser.until("document.getElementById('status').textContent === 'Ждёт ответа арбитра'");
}

#[test]
fn a_dispute_that_the_buyer_opens_is_settled_by_the_arbiter() {
    let market = market();
    let (buyer, _) = at_chat(&market, "en");
    buyer.click("#dispute");
    buyer.click("#yes");
    buyer.until("document.getElementById('title').textContent === 'Dispute: Order 1'");
    buyer.find("#text").fill(&buyer, "The vase is cracked.");
    buyer.click("#send");
    buyer.until("document.querySelector('.message.own[data-id]')");

    let made = secrets::new_operator_token();
    let hash = secrets::hash(&made);
    let now = Timestamp::from_millis(NOW_MS).expect("in range");
    let token = market.block_on(market.store().create_operator_token(hash, now));
    token.expect("a token");
    let arbiter = Browser::open(&format!("http://{}", market.address), Reader::default());
    arbiter.go("/ui/operator/sign-in");
    arbiter.find("#secret").fill(&arbiter, &made);
    arbiter.click("form.box button");
    arbiter.until("!location.pathname.endsWith('/sign-in') && document.readyState === 'complete'");
    arbiter.go("/ui/arbiter");
    arbiter.click("a[href^='/ui/arbiter/1/']");
    arbiter.until("document.body.textContent.includes('The vase is cracked.')");
    arbiter.click(".settle summary");
    arbiter.click("input[value=BUYER]");
    arbiter
        .find("#verdict-text")
        .fill(&arbiter, "The buyer is paid back.");
    arbiter.click(".settle button");
    arbiter.find(".verdict");

    buyer.until("document.getElementById('log').textContent.includes('The buyer is paid back.')");
    buyer.until("document.getElementById('status').textContent === 'Finished'");
}

#[test]
fn a_file_that_is_kept_no_longer_is_named_and_leads_nowhere() {
    let market = market();
    let chat = market.start(1, order(1), None);
    let shop = BusinessId::new(1).expect("an id");
    let new = NewMessage {
        sender: Sender::Partner,
        text: None,
        files: vec![StoredFile {
            object: "1/none".to_owned(),
            name: FileName::from_client("receipt.png"),
            size: 7,
            media_type: "image/png".to_owned(),
        }],
        wait_for: None,
    };
    let time = |millis| Timestamp::from_millis(millis).expect("in range");
    market.block_on(async {
        let written = market.store().append_message(shop, chat, new, None, time(1));
        written.await.expect("a message");
        let later = market
            .store()
            .forget_files(shop, time(9_999_999_999_999), time(2));
        assert_eq!(later.await.expect("a step").count, 1);
    });
    let browser = market.browser("ru");
    browser.go(&format!("/ui/widget#token={}", token(1, "anna")));
    browser.click("#chats button");
    browser.wait_for_text(".message .file", "receipt.png");
    assert!(browser.text(".message .file").ends_with("больше не хранится"));
    assert_eq!(browser.count(".message a, .message img"), 0);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
