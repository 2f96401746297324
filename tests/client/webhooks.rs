//! Notifications of a real server, received with the crate.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use prilavok_client::webhook::{BadSignature, Delivery, Receiver, Refused};
use prilavok_client::{Event, Notification};
use serde_json::{Value, json};

use crate::{PATIENCE, Sandbox, id};

struct Crm {
    receiver: Mutex<Receiver>,
    came: Mutex<Vec<Result<Delivery, Refused>>>,
}

async fn hook(State(crm): State<Arc<Crm>>, headers: HeaderMap, body: Bytes) -> Response<axum::body::Body> {
    let receiver = crm.receiver.lock().expect("nobody panics here").clone();
    let came = receiver.receive(&headers, &body);
    let answer = match &came {
        Ok(_) => receiver.accepted(),
        Err(refused) => refused.answer(),
    };
    crm.came.lock().expect("nobody panics here").push(came);
    Response::from(answer).map(Into::into)
}

impl Crm {
    async fn listen() -> (Arc<Self>, String) {
        let crm = Arc::new(Self {
            receiver: Mutex::new(Receiver::new("crm", "1.0.0").expect("a receiver")),
            came: Mutex::default(),
        });
        let router = axum::Router::new().fallback(hook).with_state(Arc::clone(&crm));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (crm, url)
    }

    fn demands(&self, secret: &str) {
        let receiver = Receiver::new("crm", "1.0.0").expect("a receiver");
        *self.receiver.lock().expect("nobody panics here") =
            receiver.with_secret(secret.parse().expect("a secret"));
    }

    /// What comes next.
    async fn next(&self, what: &str) -> Result<Delivery, Refused> {
        let began = Instant::now();
        loop {
            let came = self.came.lock().expect("nobody panics here").pop();
            if let Some(came) = came {
                return came;
            }
            assert!(began.elapsed() < PATIENCE, "{what} did not come");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn operator(sandbox: &Sandbox, method: reqwest::Method, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/operator/v1/businesses/1/subscriptions{path}", sandbox.url);
    let request = reqwest::Client::new()
        .request(method, url)
        .bearer_auth(&sandbox.operator);
    let answer = request.json(&body).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn a_real_server_is_answered_as_it_wants_and_its_signatures_are_verified() {
    let clock = Arc::new(prilavok_domain::SystemClock);
    let sandbox = Sandbox::with(clock, |settings| settings.notifications.allow_private = true).await;
    let (crm, url) = Crm::listen().await;
    let new = json!({"name": "crm", "url": url, "enabled": false, "types": ["CHAT_MESSAGE_SENT"]});
    let (status, made) = operator(&sandbox, reqwest::Method::POST, "", new).await;
    assert_eq!(status, 201, "{made}");
    let enable = format!("/{}/enable", made["subscriptionId"]);

    crm.demands("whsec_AAAA");
    let (status, answer) = operator(&sandbox, reqwest::Method::POST, &enable, json!({})).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (400, &json!("PING_FAILED")),
        "{answer}"
    );
    assert!(matches!(
        crm.next("the PING").await,
        Err(Refused::Signature(BadSignature::Forged))
    ));

    crm.demands(made["secret"].as_str().expect("a secret"));
    let (status, answer) = operator(&sandbox, reqwest::Method::POST, &enable, json!({})).await;
    assert_eq!(status, 200, "{answer}");
    let ping = crm.next("the PING").await.expect("genuine");
    assert!(matches!(
        ping.notification,
        Notification::Known(Event::Ping { .. })
    ));

    let shop = sandbox.shop();
    shop.send_message(id(1), "Раз").await.expect("sent");
    let told = crm.next("the message").await.expect("genuine");
    assert!(told.id.is_some_and(|id| id.starts_with("evt_")));
    let Notification::Known(Event::ChatMessageSent {
        chat_id, message_id, ..
    }) = told.notification
    else {
        panic!("{:?}", told.notification)
    };
    let message = shop.message(chat_id, message_id).await.expect("a message");
    assert_eq!(message.text.as_deref(), Some("Раз"));
}
