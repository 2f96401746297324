//! A server of the test's own with two businesses and two customers, a clock that is moved by hand, and keys with which
//! the test signs tokens itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use prilavok_domain::rules::Initiator;
use prilavok_domain::{
    Business, BusinessId, BusinessState, Campaign, CampaignId, CampaignState, ChatId, Clock, Customer,
    ManualClock, MessageText, Name, Order, OrderId, Placement, PublicId, Return, ReturnId, Sender, Timestamp,
};
use prilavok_server::app::{App, Background};
use prilavok_server::http::Served;
use prilavok_server::settings::{Overrides, Settings};
use prilavok_store::files::FileStore;
use prilavok_store::{NewMessage, Registration, StartChat, Store, Subject};
use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) use crate::answer::Answer;
use crate::test_store::Place;

/// The key `main` of every market.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// 2025-06-15T15:06:40Z. A time that has been: files bear that of the machine, and one that were a day old could be swept away
/// before its message is written.
pub(crate) const NOW_MS: i64 = 1_750_000_000_000;
pub(crate) const NOW: i64 = NOW_MS / 1_000;
/// Whom tokens are for.
pub(crate) const AUDIENCE: &str = "prilavok";

pub(crate) struct Market {
    pub(crate) address: SocketAddr,
    pub(crate) clock: ManualClock,
    pub(crate) app: Arc<App>,
    pub(crate) ed25519: Ed25519KeyPair,
    client: Client,
    runtime: Runtime,
    _background: Background,
    _place: Place,
    _folder: TempDir,
}

/// A token of HS256, signed here and not by the code under test.
pub(crate) fn hs256(header: &Value, claims: &Value, secret: &str) -> String {
    let head = URL_SAFE_NO_PAD.encode(header.to_string());
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// A token of EdDSA.
pub(crate) fn eddsa(header: &Value, claims: &Value, key: &Ed25519KeyPair) -> String {
    let head = URL_SAFE_NO_PAD.encode(header.to_string());
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = key.sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

/// The claims of a customer in a business, for ten minutes.
pub(crate) fn claims(business: i64, customer: &str) -> Value {
    json!({"sub": customer, "business": business, "aud": AUDIENCE, "iat": NOW, "exp": NOW + 600})
}

/// A token as a backend makes it.
pub(crate) fn token(business: i64, customer: &str) -> String {
    signed(&claims(business, customer))
}

pub(crate) fn signed(claims: &Value) -> String {
    hs256(
        &json!({"alg": "HS256", "typ": "JWT", "kid": "main"}),
        claims,
        SECRET,
    )
}

impl Market {
    pub(crate) fn open() -> Self {
        Self::with("")
    }

    /// With further settings of `[buyer]`, as TOML.
    pub(crate) fn with(buyer: &str) -> Self {
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).expect("a key");
        let ed25519 = Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).expect("a key");
        let public = URL_SAFE_NO_PAD.encode(ed25519.public_key());
        let toml = format!(
            "[buyer]\n{buyer}\n[buyer.keys.main]\nhs256 = \"{SECRET}\"\n[buyer.keys.ed]\ned25519 = \"{public}\"\n"
        );
        Self::set_up(&toml, ed25519)
    }

    /// With these settings only.
    pub(crate) fn with_settings(toml: &str) -> Self {
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).expect("a key");
        Self::set_up(toml, Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).expect("a key"))
    }

    fn set_up(toml: &str, ed25519: Ed25519KeyPair) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("prilavok.toml");
        std::fs::write(&file, toml).expect("written");
        let mut settings = Settings::load(Some(&file), &Overrides::default()).expect("right settings");
        settings.data = folder.path().to_owned();
        let clock = ManualClock::new(Timestamp::from_millis(NOW_MS).expect("in range"));
        let runtime = Runtime::new().expect("a runtime");
        let (store, place) = Place::open(&mut settings, &runtime);
        let files = FileStore::local(&folder.path().join("files")).expect("a file store");
        let (app, background, address) = runtime.block_on(async {
            store.register(registrations()).await.expect("a market");
            let app = App::new(store, files, Arc::new(clock.clone()), settings).await;
            let app = Arc::new(app.expect("an app"));
            let background = app.start_background();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a free port");
            let address = listener.local_addr().expect("an address");
            tokio::spawn(prilavok_server::http::serve(
                Served::always(Arc::clone(&app)),
                listener,
                std::future::pending(),
            ));
            (app, background, address)
        });
        let client = Client::builder().timeout(Duration::from_secs(30));
        Self {
            address,
            clock,
            app,
            ed25519,
            client: client.build().expect("a client"),
            runtime,
            _background: background,
            _place: place,
            _folder: folder,
        }
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.app.store
    }

    /// A request without a token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        self.client.request(method, url).header("X-Request-Id", "test")
    }

    pub(crate) fn get(&self, token: &str, path: &str) -> Answer {
        Answer::to(
            self.request(Method::GET, &format!("/buyer/v1{path}"))
                .bearer_auth(token),
        )
    }

    pub(crate) fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        Answer::to(
            self.request(Method::POST, &format!("/buyer/v1{path}"))
                .bearer_auth(token)
                .json(body),
        )
    }

    pub(crate) fn post_once(&self, key: &str, token: &str, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, &format!("/buyer/v1{path}"));
        Answer::to(
            request
                .bearer_auth(token)
                .header("Idempotency-Key", key)
                .json(body),
        )
    }

    /// Starts the chat about an order; answers its path.
    pub(crate) fn chat(&self, token: &str, order: i64) -> String {
        let context = json!({"context": {"type": "ORDER", "id": order}});
        let chat = self.post(token, "/chats", &context).is(201);
        format!("/chats/{}", chat["chatId"])
    }

    /// A chat, by the store.
    pub(crate) fn start(&self, business: i64, subject: Subject, customer: Option<&str>) -> ChatId {
        let start = StartChat {
            initiator: Initiator::Customer,
            subject,
            customer: customer.map(|id| PublicId::new(id).expect("an id")),
        };
        let business = BusinessId::new(business).expect("an id");
        let started = self.store().start_chat(business, start, None, self.clock.now());
        self.block_on(started).expect("a chat").value.chat.id
    }

    /// A message by somebody else than the customer.
    pub(crate) fn says(&self, business: i64, chat: ChatId, sender: Sender, text: &str) {
        let new = NewMessage {
            sender,
            text: Some(MessageText::new(text).expect("a text")),
            files: Vec::new(),
            wait_for: None,
        };
        let business = BusinessId::new(business).expect("an id");
        let written = self
            .store()
            .append_message(business, chat, new, None, self.clock.now());
        self.block_on(written).expect("a message");
    }

    /// Changes the state of business 1.
    pub(crate) fn turn(&self, state: BusinessState) {
        self.block_on(async {
            let put = self.store().register(vec![business(1, state)]).await;
            put.expect("a change");
            self.app.access.refresh().await.expect("a refresh");
        });
    }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn business(id: i64, state: BusinessState) -> Registration {
    Registration::Business(Business {
        id: BusinessId::new(id).expect("an id"),
        name: name(&format!("Лавка {id}")),
        state,
    })
}

/// In each of businesses 1 and 2: orders 1 and 2 of anna, 3 of boris, and a return of each with the number of its order
/// and ten.
fn registrations() -> Vec<Registration> {
    let mut items = Vec::new();
    for (public_id, called) in [("anna", "Анна К."), ("boris", "Boris")] {
        items.push(Registration::Customer(Customer {
            public_id: PublicId::new(public_id).expect("an id"),
            name: name(called),
            erased_at: None,
        }));
    }
    for number in [1, 2] {
        items.push(business(number, BusinessState::Active));
        let shop = BusinessId::new(number).expect("an id");
        let campaign = CampaignId::new(number).expect("an id");
        items.push(Registration::Campaign(Campaign {
            business: shop,
            id: campaign,
            domain: name("shop.example"),
            placement: Placement::Fbs,
            state: CampaignState::Available,
        }));
        for (order, customer) in [(1, "anna"), (2, "anna"), (3, "boris")] {
            let order = OrderId::new(order).expect("an id");
            items.push(Registration::Order(Order {
                business: shop,
                id: order,
                campaign,
                customer: PublicId::new(customer).expect("an id"),
                test: false,
            }));
            items.push(Registration::Return(Return {
                business: shop,
                id: ReturnId::new(order.get() + 10).expect("an id"),
                order,
            }));
        }
    }
    items
}

impl Answer {
    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        let body = self.json();
        assert_eq!(self.status, status, "{body:#}");
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
        body
    }

    /// The message of an error with this status and code.
    #[track_caller]
    pub(crate) fn fails(&self, status: u16, code: &str) -> String {
        let body = self.is(status);
        assert_eq!(body["error"]["code"], code, "{body:#}");
        assert_eq!(body["error"]["requestId"], "test", "{body:#}");
        body["error"]["message"].as_str().expect("a text").to_owned()
    }
}
