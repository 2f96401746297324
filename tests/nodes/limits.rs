//! The calls of an hour that three nodes count together: all but two in a hundred can be made, no more than all of them, and
//! the database is asked once for 20 calls or more, however slowly they come.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prilavok_test_postgres::Cluster;
use reqwest::StatusCode;
use reqwest::blocking::{Client, RequestBuilder};
use serde_json::json;

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
