//! The calls of an hour that three nodes count together: all but two in a hundred can be made, no more than all of them, and
//! the database is asked once for 20 calls or more, however slowly they come; and what many businesses wait for at once is
//! asked for together.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prilavok_test_postgres::Cluster;
use reqwest::StatusCode;
use reqwest::blocking::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::fleet::Fleet;

/// Calls an hour of each operation that is called here.
const LIMIT: usize = 1_000;

/// Between two calls.
const PAUSE: Duration = Duration::from_millis(25);

/// How long the test may take.
const LASTS: u64 = 120;

/// Each statement that claims calls or gives them back writes a row here.
const COUNT_STATEMENTS: &str = "CREATE TABLE asked (at timestamptz);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO asked VALUES (clock_timestamp()); RETURN NULL; END $$;
    CREATE TRIGGER note AFTER INSERT ON limit_usage FOR EACH STATEMENT EXECUTE FUNCTION note()";

/// How often the database was asked for calls, and told of scarce limits.
const STATEMENTS: &str =
    "SELECT (SELECT count(*) FROM asked) + (SELECT number - 1 FROM meta WHERE name = 'scarce_version')";

/// Businesses that call at once.
const BUSINESSES: usize = 60;

/// Makes calls until some more than the limit were made; answers how many were accepted.
fn call(
    operation: &str,
    node_of: impl Fn(usize) -> usize,
    request: impl Fn(usize) -> RequestBuilder,
) -> usize {
    let mut accepted = 0;
    for number in 0..LIMIT + 40 {
        let answer = request(node_of(number)).send().expect("an answer");
        match answer.status() {
            StatusCode::OK => accepted += 1,
            // 420: the hour's calls are used up.
            status if status.as_u16() == 420 => {
                let least = LIMIT - LIMIT / 50;
                assert!(accepted >= least, "{operation} is refused after {accepted} calls");
            }
            status => panic!("{operation}: {status}: {}", answer.text().expect("text")),
        }
        std::thread::sleep(PAUSE);
    }
    accepted
}

/// Waits for the next hour where this one ends too soon: its calls would be counted anew.
fn within_an_hour() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let left = 3_600 - now.as_secs() % 3_600;
    if left < LASTS {
        std::thread::sleep(Duration::from_secs(left + 1));
    }
}

#[test]
fn three_nodes_share_an_hour_exactly_and_ask_rarely_though_calls_come_slowly() {
    let cluster = Cluster::shared();
    let database = cluster.new_database();
    let fleet = Fleet::limited(&cluster.url(&database), 1);
    cluster.sql(&database, COUNT_STATEMENTS);
    within_an_hour();
    let (client, key, chat) = (Client::new(), &fleet.shop.key, fleet.shop.chats[0]);
    let url = |node: usize, path: &str| {
        let address = &fleet.nodes[node].address;
        format!("{address}/v2/businesses/1/chat{path}?chatId={chat}")
    };
    let read = |node| client.get(url(node, "")).header("Api-Key", key);
    let write = |node| {
        let message = client.post(url(node, "s/message")).header("Api-Key", key);
        message.json(&json!({"message": "Hello"}))
    };
    let accepted = std::thread::scope(|scope| {
        let evenly = scope.spawn(|| call("getChat", |number| number % 3, read));
        let at_one = |number| if number < 3 { number } else { 0 };
        let writing = scope.spawn(move || call("sendMessageToChat", at_one, write));
        [evenly, writing].map(|calls| calls.join().expect("calls"))
    });
    let statements: usize = cluster.sql(&database, STATEMENTS).parse().expect("a number");
    println!("{accepted:?} calls, {statements} statements");
    for accepted in accepted {
        assert!(accepted <= LIMIT, "{accepted} calls of {LIMIT}");
    }
    let calls: usize = accepted.iter().sum();
    assert!(
        statements * 20 <= calls,
        "{statements} statements for {calls} calls"
    );
}

/// Registers a business and answers a key of it.
fn a_key(address: &str, operator: &str, business: usize) -> String {
    let business = format!("{address}/operator/v1/businesses/{business}");
    let client = Client::new();
    let register = client.put(&business).json(&json!({"name": "Shop"}));
    let create = client
        .post(format!("{business}/keys"))
        .json(&json!({"name": "CRM", "scopes": ["communication"]}));
    let [_, created]: [Value; 2] = [register, create].map(|request| {
        let answer = request.bearer_auth(operator).send().expect("an answer");
        answer.json().expect("JSON")
    });
    created["secret"].as_str().expect("a key").to_owned()
}

#[test]
fn businesses_that_begin_an_hour_at_once_share_questions() {
    let cluster = Cluster::shared();
    let database = cluster.new_database();
    let fleet = Fleet::limited(&cluster.url(&database), 1);
    let (address, operator) = (&fleet.nodes[0].address, &fleet.shop.operator);
    let businesses = 2..2 + BUSINESSES;
    let keys = businesses.map(|business| (business, a_key(address, operator, business)));
    let keys: Vec<_> = keys.collect();
    cluster.sql(&database, COUNT_STATEMENTS);
    // Whoever asks first waits for the database, and the others for whoever asks first.
    let held = cluster.hold(&database, "LOCK TABLE limit_usage IN EXCLUSIVE MODE");
    std::thread::scope(|scope| {
        for (business, key) in &keys {
            scope.spawn(move || {
                let chat = format!("{address}/v2/businesses/{business}/chat?chatId=1");
                let answer = Client::new().get(chat).header("Api-Key", key).send();
                let answer = answer.expect("an answer");
                assert_eq!(answer.status(), StatusCode::NOT_FOUND);
                assert_eq!(answer.headers()["X-RateLimit-Resource-Remaining"], "999");
            });
        }
        std::thread::sleep(Duration::from_secs(1));
        drop(held);
    });
    let statements: usize = cluster.sql(&database, STATEMENTS).parse().expect("a number");
    assert!(
        (1..=BUSINESSES / 10).contains(&statements),
        "{statements} statements for {BUSINESSES} businesses"
    );
}
