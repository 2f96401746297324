//! What receivers of notifications answer.

use prilavok_domain::Timestamp;
use prilavok_notify::PingFailed;
use prilavok_store::Attempt;
use prilavok_wire::notification::{Verdict, judge};
use serde_json::Value;

use crate::choose;

/// What must hold of any bytes.
pub fn check(data: &[u8]) {
    let Some((which, body)) = choose(data, 5) else {
        return;
    };
    let status = [200, 400, 302, 500, 204][usize::from(which)];
    let verdict = judge(status, body);
    let json: Option<Value> = serde_json::from_slice(body).ok();
    match &verdict {
        Verdict::Accepted => {
            let json = json.as_ref().expect("only JSON is accepted");
            assert_eq!(status, 200);
            for name in ["version", "name"] {
                let text = json[name].as_str().expect("a string");
                assert!((1..=100).contains(&text.chars().count()), "{name}: {text}");
            }
            assert!(
                json["time"].as_str().is_some_and(|time| time.len() >= 10),
                "{json}"
            );
        }
        Verdict::Refused(why) => {
            assert_eq!(status, 400);
            let json = json.as_ref().expect("only JSON is final");
            let kind = json["error"]["type"].as_str().expect("a string");
            assert!(
                ["WRONG_EVENT_FORMAT", "DUPLICATED_EVENT", "UNKNOWN"].contains(&kind),
                "{kind}"
            );
            assert!(why.contains(kind) && why.chars().count() <= 600, "{why}");
        }
        Verdict::Failed(why) => {
            let begun = why.starts_with(&format!("the answer was {status}"));
            assert!(begun && why.chars().count() <= 600, "{why}");
        }
    }
    // The same JSON written in another way is the same answer.
    if let Some(Value::Object(mut object)) = json {
        object.insert("unknown".to_owned(), Value::Null);
        let again = Value::Object(object).to_string();
        assert_eq!(judge(status, again.as_bytes()), verdict, "{again}");
    }
    told(status, body, &verdict);
}

/// What of it an operator reads on a terminal is one line, and no command.
fn told(status: u16, body: &[u8], verdict: &Verdict) {
    let error = match verdict {
        Verdict::Accepted => None,
        Verdict::Refused(why) | Verdict::Failed(why) => Some(why.clone()),
    };
    let attempt = Attempt {
        at: Timestamp::from_millis(0).expect("in range"),
        duration_ms: 7,
        status: Some(status),
        error,
        answer: String::from_utf8_lossy(body).into_owned(),
    };
    let failed = PingFailed::of(&attempt);
    assert_eq!(failed.is_none(), *verdict == Verdict::Accepted);
    if let Some(failed) = failed {
        let text = failed.to_string();
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(text.chars().count() <= 1_000, "{text}");
    }
}
