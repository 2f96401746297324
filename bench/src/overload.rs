//! Ten times what can be served, and more: who is served then, how fast, and how soon all is as before.

use std::fmt::Write as _;

use anyhow::ensure;
use prilavok_bench::seed::CHATS;
use serde::Deserialize;

use crate::Place;
use crate::process::{self, LOAD_CORE};
use crate::speed::prilavok;

/// The crowd, over the callers that keep the server busy already.
const TIMES: [u32; 2] = [10, 80];
const SECONDS: u32 = 6;

#[derive(Debug, Deserialize)]
struct Told {
    calm: Times,
    served: Times,
    refused: Refused,
    other: u64,
    recovered_ms: u64,
}

/// Answers of a kind; times in microseconds.
#[derive(Debug, Deserialize)]
struct Times {
    rate: u64,
    p99: u64,
}

#[derive(Debug, Deserialize)]
struct Refused {
    rate: u64,
}

/// Measures it over the large store; answers a table.
pub fn measure(place: &Place) -> anyhow::Result<String> {
    let large = place.large();
    let mut text =
        "| overload | calm: answers/s, p99 | served/s, p99 | p99 over calm | refused/s | as before after |\n\
                    |---|---|---|---|---|---|\n"
            .to_owned();
    for (operation, calm) in [("getChat", 32), ("sendMessageToChat", 64)] {
        for times in TIMES {
            let server = prilavok(place, &large)?;
            let output = process::on_core(LOAD_CORE, &place.program("flood"))
                .arg(format!("127.0.0.1:{}", server.port))
                .arg(operation)
                .arg(large.join(CHATS))
                .args([calm, calm * times, SECONDS].map(|number| number.to_string()))
                .output()?;
            ensure!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            let told: Told = serde_json::from_slice(&output.stdout)?;
            ensure!(told.other == 0, "neither 200 nor 503: {told:?}");
            let Told {
                calm: before,
                served,
                refused,
                recovered_ms,
                ..
            } = told;
            // Writing into a text does not fail.
            let _ = writeln!(
                text,
                "| {operation}, {calm} callers and {times} times as many more | {}, {} µs | {}, {} µs | {:.1} | {} | {recovered_ms} ms |",
                before.rate,
                before.p99,
                served.rate,
                served.p99,
                ratio(served.p99, before.p99),
                refused.rate,
            );
        }
    }
    Ok(text)
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of seconds")]
fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / other as f64
}
